"""Metrics: what the spans of a training add up to."""
