"""Callers: the line of the program that called the model's method."""

from __future__ import annotations

import os
from types import FrameType
from typing import Any, NamedTuple

_ENGINES = frozenset(("keras", "tf_keras", "tensorflow", "fittrace"))
"""Packages whose code is none of the program's. Their frames stand between the program and the engine's method."""
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
_INSTALLED = tuple(os.sep + folder + os.sep for folder in ("site-packages", "dist-packages"))
_MOST_FRAMES = 200
"""Frames that are looked at. A deep recursion may call a fit, too."""


class Caller(NamedTuple):
    """A line of a program.

    - `file`: the file, as its code names it.
    - `function`: the name of the function; `<module>` outside of all functions.
    - `line`: the number of the line.
    """

    file: str
    function: str
    line: int


def caller_of(method: FrameType) -> "Caller | None":
    """The line that called a method of the engine, whose frame is `method`.

    It is the innermost line in a file of the program's own. If there is none, it is the innermost line that is not the
    engine's. None: there is nothing but the engine.
    """
    first = None
    frame = method.f_back
    for _ in range(_MOST_FRAMES):
        if frame is None:
            break
        if not is_engines(frame.f_globals):
            first = first or frame
            if _is_programs(frame.f_code.co_filename):
                return _caller(frame)
        frame = frame.f_back
    return None if first is None else _caller(first)


def is_engines(module: "dict[str, Any]") -> bool:
    """Whether the engine, or fittrace, has the code of a module. `module` is its dict."""
    # Not `module.get`, which a subclass of dict may override.
    name = dict.get(module, "__name__")
    return type(name) is str and name.partition(".")[0] in _ENGINES


def _caller(frame: FrameType) -> Caller:
    code = frame.f_code
    # `f_lineno` may be None where the code has no lines.
    return Caller(code.co_filename, code.co_name, frame.f_lineno or 0)


def _is_programs(file: str) -> bool:
    """Whether a file is the program's own: no installed package, and not of Python's library.

    Code without a file, such as that of `exec`, is not: the file that runs it says more. A cell of a notebook is.
    """
    if file.startswith(_STANDARD_LIBRARY) or any(folder in file for folder in _INSTALLED):
        return False
    return not file.startswith("<") or file.startswith("<ipython-input-")
