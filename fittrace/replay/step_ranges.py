"""The steps of one epoch or of one batch."""

from __future__ import annotations

from collections.abc import Iterator

from .cursor import Replay
from .step import Step

EPOCH, BATCH = ("epoch",), ("stage", "epoch", "batch")
"""The fields that are the same in all steps of an epoch, or of a batch."""


def steps_from_here(replay: Replay, same: tuple[str, ...], direction: int = 1) -> Iterator[Step]:
    """The current step, and those after it in the same epoch or batch.

    - `same`: `EPOCH` or `BATCH`.
    - `direction`: 1, or -1 for the steps before it, the nearest first.
    """
    current = replay.current
    depth = current.depth
    index = current.index
    while 0 <= index < len(replay):
        step = replay[index]
        if all(getattr(step, name) == getattr(current, name) for name in same):
            depth = min(depth, step.depth)
        # Deeper calls, such as another fit, may count epochs and batches of their own. They are part of it.
        elif step.depth <= depth:
            return
        yield step
        index += direction


def all_steps(replay: Replay, same: tuple[str, ...]) -> list[Step]:
    """All steps of the epoch or batch that the replay is in, in order."""
    before = list(steps_from_here(replay, same, direction=-1))
    return [*reversed(before), *list(steps_from_here(replay, same))[1:]]
