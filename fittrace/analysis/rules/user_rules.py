"""Loads rules from a Python file of the user."""

from __future__ import annotations

import runpy
from pathlib import Path

from ...schema.errors import FittraceError
from .rule import Rule


def load(file: Path) -> tuple[Rule, ...]:
    """The rules that the Python file `file` defines, in its order.

    Raises `FittraceError` if the file cannot be run or defines no rule.
    """
    try:
        names = runpy.run_path(str(file))
    except OSError as error:
        raise FittraceError(f"{file}: cannot be read ({error.strerror}); give a Python file with rules") from None
    except Exception as error:
        raise FittraceError(f"{file}: {type(error).__name__}: {error}; correct it and check again") from None
    rules = tuple(value for value in names.values() if isinstance(value, Rule))
    if not rules:
        raise FittraceError(f"{file}: no rule in it; make one with `from fittrace.analysis.rules import rule`")
    return rules
