"""Exceptions: what the trace says of one, without running code of its class."""

from __future__ import annotations

from types import TracebackType

from ...schema.journal_format import ABSENT
from ..isolation.class_names import names_of
from .values import LONGEST, text


def error_text(error: "BaseException | None") -> str:
    """Type and message of an exception; the message only where its parts are plain."""
    if error is None:
        return "unknown"
    name = str(type.__dict__["__name__"].__get__(type(error)))
    arguments = BaseException.args.__get__(error)  # type: ignore[attr-defined]
    message = getattr(error, "message", None) if names_of(type(error))[0].startswith("tensorflow.") else None
    if type(message) is not str:
        message = ", ".join(text(argument, 1) if len(arguments) > 1 else text(argument) for argument in arguments)
    return (name + ": " + message[: 10 * LONGEST]) if message else name


def raised_at(traceback: "TracebackType | None") -> int:
    """The line of the innermost handler's own function in which an exception was raised or passed through."""
    line = traceback.tb_lineno if traceback is not None else None
    return line if type(line) is int and line > 0 else ABSENT
