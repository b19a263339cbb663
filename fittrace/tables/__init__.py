"""The tables of a trace, as pandas DataFrames and for SQL."""

from .query_errors import AmbiguousRuns, QueryError, UnknownSamples
from .run_metadata import NotSampled
from .trace_tables import TraceTables

__all__ = ["AmbiguousRuns", "NotSampled", "QueryError", "TraceTables", "UnknownSamples"]
