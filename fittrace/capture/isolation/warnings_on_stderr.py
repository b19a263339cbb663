"""Complaints on the program's standard error: what the user must know, and no trace can hold any more."""

from __future__ import annotations

from .original_os import System

_NUMBER = 2


class Complaints:
    """Writes to the standard error that the process has when this is made.

    Where the program puts another file in its place, or closes it, nothing is written: that file may be data.
    """

    def __init__(self) -> None:
        self._identity = _identity()

    def say(self, message: str) -> None:
        """Write one line. Nothing is raised."""
        if self._identity is not None and self._identity == _identity():
            try:
                System.write(_NUMBER, ("fittrace: %s\n" % message).encode("utf-8", "backslashreplace"))
            except OSError:
                pass


def _identity() -> tuple[int, int] | None:
    try:
        status = System.fstat(_NUMBER)
    except OSError:
        return None
    return status.st_dev, status.st_ino
