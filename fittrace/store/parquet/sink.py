"""The interface through which derived rows leave the derivation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .arrow_columns import Values


class Sink(Protocol):
    """Takes rows: a `PartitionWriter`, or tables in memory."""

    def append(self, table: str, columns: Mapping[str, Values]) -> None:
        """Add rows to the end of `table`, as `PartitionWriter.append` does."""
