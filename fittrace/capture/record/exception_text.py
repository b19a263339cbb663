"""The text of an exception in the trace, made without running code of its class."""

from __future__ import annotations

from ..isolation.class_names import names_of
from .kept_values import LONGEST, text


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
