"""The errors of queries to a trace."""

from __future__ import annotations

from ..schema.errors import FittraceError


class QueryError(FittraceError):
    """SQL that is wrong or not allowed. Only reading the tables of the trace is allowed."""


class AmbiguousRuns(FittraceError):
    """Two runs of a folder have the same name, so their rows could not be distinguished."""


class UnknownSamples(FittraceError):
    """The trace does not have the samples of a batch, or several runs or processes have such a batch."""
