"""Python's own threads and locks, also where the program has replaced them.

gevent and eventlet replace them in `_thread` and `threading` with ones for green threads. Capture needs real ones: its
threads work while the program's event loop waits, and never wait for that loop. So capture takes them from `_thread`
once, when it is imported. Where they have been replaced by then, it takes them from a fresh copy of the module.
"""

from __future__ import annotations

import _thread
import sys
import types
from importlib.machinery import BuiltinImporter
from typing import Any

_TAKEN = ("RLock", "_local", "allocate_lock", "get_ident", "start_new_thread")
"""The names that capture takes."""


def _originals() -> Any:
    """The module `_thread`, or a fresh copy of it where a name of `_TAKEN` has been replaced."""
    if all(_is_own(getattr(_thread, name, None)) for name in _TAKEN):
        return _thread
    # Older Pythons fill a module that is in `sys.modules` anew, and would undo the program's replacements.
    program = sys.modules.pop("_thread")
    try:
        spec = BuiltinImporter.find_spec("_thread")
        copy = BuiltinImporter.create_module(spec)  # type: ignore[arg-type]
        BuiltinImporter.exec_module(copy)  # type: ignore[arg-type]
        return copy
    finally:
        sys.modules["_thread"] = program


def _is_own(value: object) -> bool:
    """Whether a function or class is one of Python's own in `_thread`."""
    is_builtin = type(value) in (types.BuiltinFunctionType, type)
    return is_builtin and value.__module__ == "_thread"


_found = _originals()
Local: Any = _found._local
RLock = _found.RLock
allocate_lock = _found.allocate_lock
get_ident = _found.get_ident
start_new_thread = _found.start_new_thread
