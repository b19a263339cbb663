"""Metrics of OpenTelemetry, from the spans of a training."""
