"""Whole runs made hostile, and fittrace's commands tried on them in a sandbox that notices misdeeds."""
