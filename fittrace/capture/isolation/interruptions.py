"""Interruptions: exceptions of the program that come up while fittrace's own code runs.

Python runs signal handlers and trace functions between two steps of whatever a thread is at, and so it raises what
`PyThreadState_SetAsyncExc` asks for. Where that is fittrace, the exception looks like a fault of fittrace. It is the
program's all the same, a timeout say, and must come out where it came up.
"""

from __future__ import annotations

import os
import signal
import types
from typing import Any, Iterator

from .class_names import names_of

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_GUESTS = tuple(os.path.join(_PACKAGE, room) + os.sep for room in ("capture", "engines", "otel", "schema"))
"""The folders of the code that runs in the program's threads."""
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_RAISING = frozenset([
    "_queue", "binascii", "concurrent", "contextvars", "copy", "fittrace", "google", "grpc", "json", "keras", "numpy",
    "opentelemetry", "queue", "requests", "socket", "ssl", "struct", "tensorflow", "tensorflow_core", "tf_keras",
    "tokenize", "urllib3", "zipimport", "zlib",
])  # fmt: skip
"""Packages that fittrace calls, and that raise exceptions of their own."""
_WITHOUT_WORDS = (AssertionError, EOFError, MemoryError, NotImplementedError, StopIteration)
"""Built-in exceptions that Python itself, or fittrace, raises without an argument."""
_get_handler = signal.getsignal
_get_traceback: Any = vars(BaseException)["__traceback__"].__get__
_get_arguments: Any = vars(BaseException)["args"].__get__


def is_programs(error: BaseException) -> bool:
    """Whether an exception that was caught in fittrace's code is the program's: an interruption, no fault.

    >>> is_programs(KeyboardInterrupt()), is_programs(ValueError("why"))
    (True, False)
    """
    if not issubclass(type(error), Exception):
        return True
    frames = [traceback.tb_frame for traceback in _entries(_get_traceback(error))]
    if not frames:
        return False
    handlers = _handlers()
    return any(_interrupts(*pair, handlers) for pair in zip(frames[1:], frames)) or _came_alone(error, frames[-1])


def leave_out(traceback: types.TracebackType | None) -> None:
    """Let a traceback that begins outside of fittrace have none of fittrace's own entries."""
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
    """The code of the program's signal handlers."""
    found = []
    for number in range(1, signal.NSIG):
        handler: Any = _get_handler(number)
        if type(handler) is types.MethodType:
            handler = handler.__func__
        if type(handler) is types.FunctionType:
            found.append(handler.__code__)
    return found


def _interrupts(frame: types.FrameType, caller: types.FrameType, handlers: list[types.CodeType]) -> bool:
    """Whether Python itself called the function of `frame` while its `caller` ran.

    What Python calls so is given the frame, or the code, that it interrupts. No function gets that otherwise.
    """
    code = frame.f_code
    if any(code is handler for handler in handlers):
        return True
    flags = bool(code.co_flags & 0x04)  # it has `*args` (`inspect.CO_VARARGS`)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + flags]
    values = frame.f_locals
    for value in [values.get(name) for name in names]:
        for argument in value if type(value) is tuple else (value,):
            if argument is caller or argument is caller.f_code:
                return True
    return False


def _came_alone(error: BaseException, frame: types.FrameType) -> bool:
    """Whether an exception that came up in `frame` cannot have been raised by its code.

    Then it is asynchronous, or a signal handler raised it that is no Python function.
    """
    file, here = frame.f_code.co_filename, _package(frame.f_globals.get("__name__"))
    is_librarys = file.startswith((_LIBRARY, "<frozen ")) and "-packages" not in file
    if not (is_librarys or file.startswith(_GUESTS) or here == "opentelemetry"):
        return False
    package = _package(names_of(type(error))[0])
    if package == here:
        return False
    if package == "builtins":
        return not _get_arguments(error) and not isinstance(error, _WITHOUT_WORDS)
    return package not in _RAISING


def _package(module: object) -> str:
    return module.partition(".")[0] if type(module) is str else ""
