"""The sink: where the rows go that are derived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .arrow_columns import Values


class Sink(Protocol):
    """Where rows go: a `PartitionWriter`."""

    def append(self, table: str, columns: Mapping[str, Values]) -> None:
        """Add rows to a table."""
