"""The numbers in logs as counters: how each went, from batch to batch and from epoch to epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..tables import TraceTables
from ..tables.database import reading, row_dicts
from .fit_facts import LoggedBatches


class Point(NamedTuple):
    """One value of a counter: when, in which process and fit. `per` is `batch` or `epoch`, `step` the number of that:
    an epoch's as Keras counts it, a batch's from the beginning of the fit."""

    process: int
    fit: int
    stage: str
    per: str
    key: str
    step: int
    time_ns: int
    value: float

    @property
    def title(self) -> str:
        """What a viewer calls the counter."""
        return f"{self.key} ({self.stage} {self.per})" if self.per == "batch" else f"{self.key} ({self.per})"


def points_of(trace: TraceTables) -> Iterator[Point]:
    """The counters of a trace of one run: those of epochs, then those of batches, each in order of time."""
    for row in row_dicts(trace.relation(_EPOCHS)):
        yield Point(**row)
    logs = LoggedBatches(trace)
    steps: dict[tuple[int, int, str], int] = {}
    with reading(trace.relation(_BATCHES.format(logged=logs.columns))) as pieces:
        for piece in pieces:
            for row in piece.to_pylist():
                loop = row["process"], row["fit"], row["stage"]
                steps[loop] = step = steps.get(loop, -1) + 1
                for key, value in logs.of(row).items():
                    yield Point(*loop, "batch", key, step, row["time_ns"], value)


_EPOCHS = """
    SELECT l.process, l.fit, 'train' AS stage, 'epoch' AS per, l.key, l.epoch AS step,
        s.start_ns + s.duration_ns AS time_ns, l.value
    FROM logs l JOIN spans s ON s.process = l.process AND s.span = l.span
    WHERE l.hook = 'on_epoch_end' AND l.value IS NOT NULL AND l.epoch IS NOT NULL
    ORDER BY time_ns, l.process, l.key
"""
_BATCHES = """
    SELECT process, fit, stage, start_ns + duration_ns AS time_ns {logged} FROM batches ORDER BY start_ns, process, span
"""
