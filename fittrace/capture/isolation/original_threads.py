"""Python's own threads and locks, also where a program has put others in their place.

gevent and eventlet replace them in `_thread` and `threading` with ones for green threads. Capture uses real ones: they
work while the program's loop waits, and never wait for it. So what capture needs is taken from `_thread`
once, when capture is imported. Where it has been replaced by then, it is taken from a copy of the module, made afresh.
"""

from __future__ import annotations

import _thread
import sys
import types
from importlib.machinery import BuiltinImporter
from typing import Any

_TAKEN = ("RLock", "_local", "allocate_lock", "get_ident", "start_new_thread")


def _originals() -> Any:
    if all(_is_own(getattr(_thread, name, None)) for name in _TAKEN):
        return _thread
    program = sys.modules.pop("_thread")
    try:
        # Where it is still in `sys.modules`, older Pythons fill this very module anew.
        spec = BuiltinImporter.find_spec("_thread")
        afresh = BuiltinImporter.create_module(spec)  # type: ignore[arg-type]
        BuiltinImporter.exec_module(afresh)  # type: ignore[arg-type]
        return afresh
    finally:
        sys.modules["_thread"] = program


def _is_own(thing: object) -> bool:
    is_builtin = type(thing) in (types.BuiltinFunctionType, type)
    return is_builtin and thing.__module__ == "_thread"


_found = _originals()
Local: Any = _found._local
RLock = _found.RLock
allocate_lock = _found.allocate_lock
get_ident = _found.get_ident
start_new_thread = _found.start_new_thread
