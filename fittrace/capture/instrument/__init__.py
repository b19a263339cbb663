"""Instrumenting: an engine's functions, and the program's own, get probes in their source."""
