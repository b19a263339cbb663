"""Interruptions: exceptions of the program that are raised while fittrace's own code runs.

Between two instructions of whatever a thread runs, Python may call a signal handler or a trace function of the
program's, or raise what `PyThreadState_SetAsyncExc` asked for. In fittrace's code such an exception looks like a fault
of fittrace. It is the program's, a timeout for example, and must reach the program.
"""

from __future__ import annotations

import os
import signal
import types
from typing import Any, Iterator

from .class_names import names_of

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_GUESTS = tuple(os.path.join(_PACKAGE, room) + os.sep for room in ("capture", "engines", "otel", "schema"))
"""The folders with fittrace's code that runs in the program's threads."""
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
"""The folder of the standard library."""
_RAISING = frozenset([
    "_queue", "binascii", "concurrent", "contextvars", "copy", "fittrace", "google", "grpc", "json", "keras", "numpy",
    "opentelemetry", "queue", "requests", "socket", "ssl", "struct", "tensorflow", "tensorflow_core", "tf_keras",
    "tokenize", "urllib3", "zipimport", "zlib",
])  # fmt: skip
"""Packages that fittrace calls and that define exceptions. One of theirs is a fault, raised by the called code."""
_WITHOUT_ARGUMENTS = (AssertionError, EOFError, MemoryError, NotImplementedError, StopIteration)
"""Built-in exceptions that Python or fittrace raises without an argument."""
# The program may replace `signal.getsignal` later, and its classes of exceptions may override the attributes.
_get_handler = signal.getsignal
_get_traceback: Any = vars(BaseException)["__traceback__"].__get__
_get_arguments: Any = vars(BaseException)["args"].__get__


def is_programs(error: BaseException) -> bool:
    """Whether an exception that was caught in fittrace's code is the program's, and not a fault of fittrace.

    >>> is_programs(KeyboardInterrupt()), is_programs(ValueError("why"))
    (True, False)
    """
    if not issubclass(type(error), Exception):
        return True
    frames = [traceback.tb_frame for traceback in _entries(_get_traceback(error))]
    if not frames:
        return False
    handlers = _handlers()
    return any(_interrupts(*pair, handlers) for pair in zip(frames[1:], frames)) or _is_foreign(error, frames[-1])


def leave_out(traceback: types.TracebackType | None) -> None:
    """Remove fittrace's entries from a traceback whose first entry is none of them."""
    while traceback is not None:
        following = traceback.tb_next
        while following is not None and following.tb_frame.f_code.co_filename.startswith(_GUESTS):
            following = following.tb_next
        if following is not traceback.tb_next:
            traceback.tb_next = following
        traceback = following


def _entries(traceback: types.TracebackType | None) -> Iterator[types.TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _handlers() -> list[types.CodeType]:
    """The code of the program's signal handlers, as far as they are Python functions."""
    codes = []
    for number in range(1, signal.NSIG):
        handler: Any = _get_handler(number)
        if type(handler) is types.MethodType:
            handler = handler.__func__
        if type(handler) is types.FunctionType:
            codes.append(handler.__code__)
    return codes


def _interrupts(frame: types.FrameType, caller: types.FrameType, handlers: list[types.CodeType]) -> bool:
    """Whether Python itself called the function of `frame` while its `caller` ran.

    Such a function has the frame that it interrupts, or its code, among its arguments. Functions that are called in the
    ordinary way do not get that.

    - `frame`: the frame of the function.
    - `caller`: the frame below it on the stack.
    - `handlers`: the code of the program's signal handlers.
    """
    code = frame.f_code
    if any(code is handler for handler in handlers):
        return True
    flags = bool(code.co_flags & 0x04)  # it has `*args` (`inspect.CO_VARARGS`)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + flags]
    values = frame.f_locals
    for argument in [values.get(name) for name in names]:
        for part in argument if type(argument) is tuple else (argument,):
            if part is caller or part is caller.f_code:
                return True
    return False


def _is_foreign(error: BaseException, frame: types.FrameType) -> bool:
    """Whether an exception that was raised in `frame` is one that its code cannot raise.

    It is then an asynchronous one, or that of a handler which is no Python function and so has no frame. Only code of
    fittrace, of the standard library and of OpenTelemetry is judged; other code may raise anything.
    """
    file, here = frame.f_code.co_filename, _package(frame.f_globals.get("__name__"))
    is_librarys = file.startswith((_LIBRARY, "<frozen ")) and "-packages" not in file
    if not (is_librarys or file.startswith(_GUESTS) or here == "opentelemetry"):
        return False
    package = _package(names_of(type(error))[0])
    if package == here:
        return False
    if package == "builtins":
        # Python gives its own exceptions a message. `PyThreadState_SetAsyncExc` makes one of a class alone.
        return not _get_arguments(error) and not isinstance(error, _WITHOUT_ARGUMENTS)
    return package not in _RAISING


def _package(module: object) -> str:
    """The first part of a module's name; an empty text where that is no text."""
    return module.partition(".")[0] if type(module) is str else ""
