"""fittrace shows what Keras `model.fit` really does.

Record: `python -m fittrace run script.py`, or `with fittrace.trace():` around code that trains. Read:
`fittrace.open("traces/")`, whose tables are pandas DataFrames.

This module is imported inside traced programs too, so it imports nothing until something is asked of it. `dir` does not
name what would be imported: freezegun, pyfakefs and their like ask every module for all that `dir` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["FittraceError", "Trace", "drive", "open", "trace"]

if TYPE_CHECKING:
    from .launch import trace
    from .open_trace import Trace
    from .replay import drive
    from .schema.errors import FittraceError

    open = Trace.open

_HOMES = {
    "FittraceError": "schema.errors",
    "Trace": "open_trace",
    "drive": "replay",
    "open": "open_trace",
    "trace": "launch",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError("module 'fittrace' has no attribute %r" % name)
    import importlib

    home = importlib.import_module("." + _HOMES[name], __name__)
    value = home.Trace.open if name == "open" else getattr(home, name)
    globals()[name] = value
    return value
