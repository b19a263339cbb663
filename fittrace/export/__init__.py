"""Exports of a trace to the formats of other programs, one module for each format."""
