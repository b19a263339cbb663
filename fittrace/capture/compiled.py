"""The compiled part of capture, if there is one that fits the part in Python.

A compiled module from an older build stays where it is when the source changes but is not compiled again. It may lack
what Python calls by now. So the two parts compare a number when they are imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

VERSION = 1
"""The version of what Python uses of the compiled module. Raise it here and in `native/native.h` when that changes."""


def _load() -> Any:
    """The compiled module. None if nothing was compiled, or if it has another version."""
    try:
        module = import_module("fittrace.capture._native")
    except ImportError:
        return None
    return module if getattr(module, "VERSION", None) == VERSION else None


native: Any = _load()
"""The compiled module. None if there is none to use: then everything runs in Python."""
