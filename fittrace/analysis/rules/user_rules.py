"""Rules of the user's own: a Python file whose rules are taken."""

from __future__ import annotations

import runpy
from pathlib import Path

from ...schema.errors import FittraceError
from .rule import Rule


def load(file: Path) -> tuple[Rule, ...]:
    """The rules that the Python file `file` makes, in its order. Raises `FittraceError` where it cannot be run or
    makes none."""
    try:
        names = runpy.run_path(str(file))
    except OSError as error:
        raise FittraceError(f"{file}: cannot be read ({error.strerror}); give a Python file with rules") from None
    except Exception as error:
        raise FittraceError(f"{file}: {type(error).__name__}: {error}; mend it and check again") from None
    found = tuple(value for value in names.values() if isinstance(value, Rule))
    if not found:
        raise FittraceError(f"{file}: no rule in it; make one with `from fittrace.analysis.rules import rule`")
    return found
