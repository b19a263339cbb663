"""Where the made things lie, seen from the root of the repository; that is where these scripts run."""

from __future__ import annotations

from pathlib import Path

EXAMPLE = Path("docs/examples/digits.py")
TRACE = Path("traces/reference-keras-3")
README = Path("README.md")
NOTEBOOKS = Path("docs/notebooks")
