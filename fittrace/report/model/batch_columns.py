"""The batches of one fit, column by column, in order of start. A batch's index in a column is its ordinal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ...schema.tables import BATCH_PHASES
from ...tables import TraceTables
from ...tables.database import read
from ...tables.sql_literals import literal

Floats = npt.NDArray[np.float64]
"""An array of float64."""
Ints = npt.NDArray[np.int64]
"""An array of int64."""

_NONE = -1
"""Stands for no batch."""

LOGS_PREFIX = "logs."
"""What the names of the columns with logs begin with."""


class BatchColumns:
    """The batches of one fit. A column is read when it is asked for, so memory holds few of them at once.

    - `count`: how many batches the fit has.
    - `starts`, `ends`: when each began and ended, in nanoseconds from the fit's start.
    - `where`: selects the rows of the fit, in SQL.

    `facts` is the fit's row of `fits`.
    """

    def __init__(self, trace: TraceTables, facts: Mapping[str, Any]) -> None:
        self.where = " AND ".join(f"{key} = {literal(facts[key])}" for key in ("run", "process", "fit") if key in facts)
        self._trace = trace
        self._fit_start = int(facts["start_ns"])
        table = self._read(["start_ns", "duration_ns", "span"])
        starts, spans = (integers_of(table[name], 0) for name in ("start_ns", "span"))
        # Rows are stored in the order in which batches ended, which is nearly the order of start.
        self._order = np.lexsort((spans, starts))
        self.count = len(starts)
        self.starts: Floats = self.since_start(starts[self._order])
        self.ends: Floats = self.starts + integers_of(table["duration_ns"], 0)[self._order]
        # When all batches up to each one had ended.
        self._ended = np.maximum.accumulate(self.ends) if self.count else self.ends
        self._enclosing = self._enclosing_batches()

    def since_start(self, unix_ns: Ints) -> Floats:
        """Unix times as nanoseconds from the start of the fit."""
        return (unix_ns - self._fit_start).astype(np.float64)

    def unix(self, ns: float) -> int:
        """A time from the start of the fit as Unix nanoseconds."""
        return self._fit_start + int(ns)

    def times(self) -> dict[str, Floats]:
        """What the time of each batch is made of: the time before it, that of each phase, and the rest of it."""
        # A batch inside another has no time before it: that time is the other's.
        between = np.maximum(self.starts - np.r_[0.0, self._ended[:-1]][: self.count], 0)
        phases = {phase: self.integers(f"{phase}_ns").astype(np.float64) for phase in BATCH_PHASES}
        other = np.maximum(self.ends - self.starts - sum(phases.values()) - self._enclosed_ns(), 0)
        return {"between": between, **phases, "other": other}

    def integers(self, column: str, missing: int = 0) -> Ints:
        """A column of integers. `missing` stands for null."""
        return integers_of(self._column(column), missing)[self._order]

    def numbers(self, column: str) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """A column of numbers, NaN where there is none; and which batches have one, which may be NaN itself."""
        values = self._column(column)
        has_value = np.asarray(values.is_valid().to_numpy(), bool)[self._order]
        return np.asarray(values.cast(pa.float64()).to_numpy(), np.float64)[self._order], has_value

    def texts(self, column: str) -> tuple[Ints, list[str]]:
        """A column of texts, as indices of a list; -1 where there is none."""
        encoded = self._column(column).cast(pa.string()).combine_chunks().dictionary_encode()
        encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
        return integers_of(encoded.indices, -1)[self._order], encoded.dictionary.to_pylist()

    def log_keys(self) -> list[str]:
        """The keys of the logs at the batches' ends, those of numbers only."""
        columns = self._trace.relation("SELECT * FROM batches LIMIT 0").columns
        return [name.removeprefix(LOGS_PREFIX) for name in columns if name.startswith(LOGS_PREFIX)]

    def current_or_next(self, times: Floats) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """The innermost batch that each time is in, or that comes after it; and whether it is in that batch.

        `count` stands for what comes after the last batch.
        """
        following = np.searchsorted(self.starts, times, side="right").astype(np.int64)
        batch = following - 1
        while (is_over := (batch >= 0) & (times >= self.ends[batch])).any() if self.count else False:
            batch[is_over] = self._enclosing[batch[is_over]]
        return np.where(batch >= 0, batch, following), batch >= 0

    def after(self, first: int, last: int) -> int:
        """The first batch that begins when all batches from `first` to `last` have ended; `count` if there is none."""
        return int(np.searchsorted(self.starts, self.ends[first : last + 1].max()))

    def current_or_last(self, times: Floats) -> Ints:
        """The batch that each time is in, or the last one before it; the first where there is none before."""
        return np.maximum(np.searchsorted(self.starts, times, side="right") - 1, 0).astype(np.int64)

    def _enclosing_batches(self) -> Ints:
        """The batch that each batch is in; `_NONE` for most.

        Keras 2.2 runs a validation inside the last batch of an epoch.
        """
        enclosing = np.full(self.count, _NONE, np.int64)
        for batch in (np.flatnonzero(self._ended[:-1] > self.starts[1:]) + 1).tolist():
            around = batch - 1
            while around != _NONE and self.ends[around] <= self.starts[batch]:
                around = int(enclosing[around])
            enclosing[batch] = around
        return enclosing

    def _enclosed_ns(self) -> Floats:
        """How much of the time of each batch is that of batches inside it."""
        result = np.zeros(self.count)
        inner = np.flatnonzero(self._enclosing != _NONE)
        outer = self._enclosing[inner]
        np.add.at(result, outer, np.minimum(self.ends[inner], self.ends[outer]) - self.starts[inner])
        return result

    def _column(self, column: str) -> pa.ChunkedArray:
        # By its index: DuckDB cuts a name at a NUL.
        return self._read([column]).column(0)

    def _read(self, columns: Sequence[str]) -> pa.Table:
        quoted = ", ".join('"' + column.replace('"', '""') + '"' for column in columns)
        # Without ORDER BY, DuckDB keeps the order of the rows, the same for each column.
        return read(self._trace.relation(f"SELECT {quoted} FROM batches WHERE {self.where}"))


def integers_of(column: pa.ChunkedArray | pa.Array, missing: int = -1) -> Ints:
    """A column of integers or booleans as an array. `missing` stands for null."""
    return np.asarray(column.cast(pa.int64()).fill_null(missing).to_numpy(), np.int64)
