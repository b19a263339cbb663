"""The steps of one epoch or of one batch, out of all."""

from __future__ import annotations

from collections.abc import Iterator

from .cursor import Replay
from .step import Step

EPOCH, BATCH = ("epoch",), ("stage", "epoch", "batch")
"""What the steps of an epoch, or of a batch, have in common."""


def onwards(replay: Replay, alike: tuple[str, ...], direction: int = 1) -> Iterator[Step]:
    """The steps from the current one on that are in the same epoch or batch, one by one; backwards where `direction`
    is -1."""
    here = replay.current
    depth = here.depth
    index = here.index
    while 0 <= index < len(replay):
        step = replay[index]
        if all(getattr(step, name) == getattr(here, name) for name in alike):
            depth = min(depth, step.depth)
        # What is called from within, such as another fit, may count epochs and batches of its own.
        elif step.depth <= depth:
            return
        yield step
        index += direction


def whole(replay: Replay, alike: tuple[str, ...]) -> list[Step]:
    """All steps of the epoch or batch that the replay is in, in order."""
    before = list(onwards(replay, alike, direction=-1))
    return [*reversed(before), *list(onwards(replay, alike))[1:]]
