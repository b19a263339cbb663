"""The root of fittrace's errors: what a user can mend, told in one line."""

from .safe_text import printable_lines


class FittraceError(Exception):
    """Something that the user of fittrace can mend.

    The message names the object, the value and the remedy, on one line; the command line prints it as it is. It may
    quote a trace, which may come from anyone: what is shown of it is text that no terminal obeys.
    """

    def __str__(self) -> str:
        return printable_lines(super().__str__())


class DamagedTrace(FittraceError):
    """A file of a trace whose bytes are not those that were written."""
