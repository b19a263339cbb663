"""Counters: the numbers in the logs, batch by batch and epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..tables import TraceTables
from ..tables.database import reading, row_dicts
from .fit_facts import LoggedBatches


class Point(NamedTuple):
    """One value of a counter.

    - `process`, `fit`: the numbers of its process and its fit.
    - `stage`: `train`, `test` or `predict`.
    - `per`: `batch` or `epoch`.
    - `key`: the key in the logs.
    - `step`: of an epoch, its number in Keras; of a batch, its number since the beginning of the fit's stage.
    - `time_ns`: the end of the batch or the epoch's hook, in Unix nanoseconds.
    - `value`: the number in the logs.
    """

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
        """The name of the counter in a viewer."""
        return f"{self.key} ({self.stage} {self.per})" if self.per == "batch" else f"{self.key} ({self.per})"


def points_of(trace: TraceTables) -> Iterator[Point]:
    """The counters of a trace of one run: first those of epochs, then those of batches, each sorted by time.

    As with spans, rows whose fit or process a damaged trace lacks are left out.
    """
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
    SEMI JOIN fits f ON f.process = l.process AND f.fit = l.fit
    SEMI JOIN processes p ON p.process = l.process
    WHERE l.hook = 'on_epoch_end' AND l.value IS NOT NULL AND l.epoch IS NOT NULL
    ORDER BY time_ns, l.process, l.key
"""
_BATCHES = """
    SELECT process, fit, stage, start_ns + duration_ns AS time_ns {logged}
    FROM batches SEMI JOIN fits USING (process, fit) SEMI JOIN processes USING (process)
    ORDER BY start_ns, process, span
"""
