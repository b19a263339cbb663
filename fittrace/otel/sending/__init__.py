"""Sending: the pipelines that carry spans and metrics to a collector."""
