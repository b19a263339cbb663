"""Isolation: what keeps fittrace and the traced program out of each other's way."""
