"""Warnings on the program's standard error: what the user must know when no trace can hold it any more."""

from __future__ import annotations

from .original_os import System

_NUMBER = 2
"""The descriptor of the standard error."""


class Complaints:
    """Writes warnings to the standard error that the process has when this is made.

    Where the program has closed it since, or opened another file under its number, nothing is written: that file may
    be data.
    """

    def __init__(self) -> None:
        self._identity = _identity()

    def say(self, message: str) -> None:
        """Write one line. An error is ignored."""
        if self._identity is not None and self._identity == _identity():
            try:
                System.write(_NUMBER, ("fittrace: %s\n" % message).encode("utf-8", "backslashreplace"))
            except OSError:
                pass


def _identity() -> tuple[int, int] | None:
    """Device and inode of the standard error; None where it is closed."""
    try:
        status = System.fstat(_NUMBER)
    except OSError:
        return None
    return status.st_dev, status.st_ino
