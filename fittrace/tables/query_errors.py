"""What can be wrong with a question to a trace."""

from __future__ import annotations

from ..schema.errors import FittraceError


class QueryError(FittraceError):
    """SQL that cannot be run, or may not be: `sql` reads the tables of the trace and does nothing else."""


class AmbiguousRuns(FittraceError):
    """Two of the runs that were opened together have one name, so that their rows could not be told apart."""


class UnknownSamples(FittraceError):
    """A batch of which the trace does not tell the samples, or not of which run or process it is."""
