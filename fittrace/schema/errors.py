"""The base class of the errors that fittrace shows to its user."""

from .safe_text import printable_lines


class FittraceError(Exception):
    """An error that the user of fittrace can correct.

    The message names the object, what is wrong, and the remedy, on one line. The command line prints it as it is. It
    may quote a trace, which may come from a stranger. So characters that a terminal would obey are escaped.
    """

    def __str__(self) -> str:
        return printable_lines(super().__str__())


class DamagedTrace(FittraceError):
    """The bytes of a trace's file are not those that were written."""


class NotATrace(FittraceError):
    """A path is no run of fittrace, or one that this version cannot read."""
