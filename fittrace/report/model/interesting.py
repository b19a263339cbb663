"""The batches of a long fit that the page shows one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ...schema.tables import BATCH_PHASES
from .batch_columns import Floats
from .batch_runs import BatchRun
from .marks import Mark

SLOWEST = 32
"""How many of the slowest batches."""
SLOWEST_OF_PHASE = 4
"""How many of the slowest batches of each phase."""
MOST_EPOCHS = 16
"""How many epochs' first batches."""


def interesting_batches(
    times: Mapping[str, Floats], runs: Sequence[BatchRun], marks: Sequence[Mark], wanted: Iterable[int]
) -> list[int]:
    """The ordinals of these batches, the most important first. An ordinal may be there twice.

    - `times`: what the time of each batch is made of, as `BatchColumns.times` gives it.
    - `runs`, `marks`: those of the fit.
    - `wanted`: the batches that findings are about.
    """
    total = sum(times.values(), np.zeros(len(times["between"])))
    if not len(total):
        return []
    result = [0, len(total) - 1, *wanted]
    result += [mark.ordinal for mark in marks if mark.kind in ("error", "stop", "first")]
    result += _largest(total, SLOWEST)
    for phase in BATCH_PHASES:
        result += _largest(times[phase], SLOWEST_OF_PHASE)
    result += [run.first for run in runs[:MOST_EPOCHS]]
    return result + [mark.ordinal for mark in marks]


def _largest(values: Floats, count: int) -> list[int]:
    """The ordinals of the largest values above 0, the largest first."""
    count = min(count, len(values))
    largest = np.argpartition(values, len(values) - count)[len(values) - count :]
    result: list[int] = largest[np.argsort(-values[largest], kind="stable")].tolist()
    return [ordinal for ordinal in result if values[ordinal] > 0]
