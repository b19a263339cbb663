"""The root of fittrace's errors: what a user can mend, told in one line."""


class FittraceError(Exception):
    """Something that the user of fittrace can mend.

    The message names the object, the value and the remedy, on one line; the command line prints it as it is.
    """


class DamagedTrace(FittraceError):
    """A file of a trace whose bytes are not those that were written."""
