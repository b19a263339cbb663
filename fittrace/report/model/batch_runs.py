"""Which batches the ordinals of a fit are: its stages, epochs and numbers of batches, in runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .batch_columns import BatchColumns


@dataclass(frozen=True)
class BatchRun:
    """Batches one after the other, of one stage and epoch, whose numbers grow evenly.

    - `first`: the ordinal of the first.
    - `count`: how many there are.
    - `stage`, `epoch`: those of all of them.
    - `batch`: the number of the first.
    - `step`: by how much the numbers grow.
    """

    first: int
    count: int
    stage: str
    epoch: int | None
    batch: int
    step: int


_NO_EPOCH = -1


def batch_runs(columns: BatchColumns) -> list[BatchRun]:
    """The runs of a fit's batches, in order."""
    stages, stage_names = columns.texts("stage")
    epochs = columns.integers("epoch", _NO_EPOCH)
    numbers = columns.integers("batch")
    changes = (stages[1:] != stages[:-1]) | (epochs[1:] != epochs[:-1])
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), columns.count]
    result = []
    for begin, end in pairwise(edges):
        steps = np.diff(numbers[begin:end])
        while begin < end:
            step = int(steps[0]) if len(steps) else 1
            uneven = np.flatnonzero(steps != step)
            count = int(uneven[0]) + 1 if len(uneven) else end - begin
            epoch = None if epochs[begin] == _NO_EPOCH else int(epochs[begin])
            result.append(BatchRun(begin, count, stage_names[stages[begin]], epoch, int(numbers[begin]), step))
            begin, steps = begin + count, steps[count:]
    return result


def ordinal_of(runs: Sequence[BatchRun], stage: str, epoch: int | None, batch: int | None) -> int | None:
    """The ordinal of a batch; None if the fit has no such batch.

    - `runs`: the runs of the fit.
    - `stage`: the stage of the batch.
    - `epoch`: the number of its epoch. None: the first epoch that has such a batch.
    - `batch`: its number, or a number within its step. None: the first batch of the epoch.
    """
    for run in runs:
        if run.stage != stage or epoch not in (None, run.epoch):
            continue
        if batch is None:
            return run.first
        steps = (batch - run.batch) // run.step if run.step else int(batch != run.batch)
        if 0 <= steps < run.count:
            return run.first + steps
    return None
