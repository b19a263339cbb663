"""fittrace shows what Keras `model.fit` really does.

Record: `python -m fittrace run script.py`, or `with fittrace.trace():` around code that trains. Read:
`fittrace.open("traces/")`, whose tables are pandas DataFrames.

Traced programs import this module too. So it imports a name's module only when the name is first used. `dir` leaves
those names out: freezegun, pyfakefs and similar tools read every attribute that `dir` lists, which would import them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__ as __version__

__all__ = ["FittraceError", "Trace", "drive", "open", "trace"]

if TYPE_CHECKING:
    from .launch import trace
    from .open_trace import Trace
    from .replay import drive
    from .schema.errors import FittraceError

    open = Trace.open

# The module of each public name, relative to this package.
_DEFINED_IN = {
    "FittraceError": "schema.errors",
    "Trace": "open_trace",
    "drive": "replay",
    "open": "open_trace",
    "trace": "launch",
}


def __getattr__(name: str) -> Any:
    if name not in _DEFINED_IN:
        raise AttributeError("module 'fittrace' has no attribute %r" % name)
    import importlib

    module = importlib.import_module("." + _DEFINED_IN[name], __name__)
    value = module.Trace.open if name == "open" else getattr(module, name)
    globals()[name] = value
    return value
