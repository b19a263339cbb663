"""Where the made things lie, seen from the root of the repository; that is where these scripts run."""

from __future__ import annotations

from pathlib import Path

EXAMPLE = Path("docs/examples/digits.py")
TRACES = Path("traces")
TRACE = TRACES / "reference-keras-3"
"""The reference trace that README.md and the notebooks open."""
README = Path("README.md")
NOTEBOOKS = Path("docs/notebooks")
