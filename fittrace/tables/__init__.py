"""The tables of a trace, as pandas DataFrames and for SQL."""

from .errors import AmbiguousRuns, QueryError, UnknownSamples
from .metadata import NotSampled
from .trace import Trace

__all__ = ["AmbiguousRuns", "NotSampled", "QueryError", "Trace", "UnknownSamples"]
