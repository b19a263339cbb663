"""Isolation: keeps fittrace and the traced program from affecting each other."""
