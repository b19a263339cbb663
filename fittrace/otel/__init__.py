"""OpenTelemetry, live."""
