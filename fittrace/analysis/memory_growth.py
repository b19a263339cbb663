"""How the memory of a process grows over the epochs of a fit, and in which hook."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

WARM_UP = 2
"""Epochs that are left out: functions are built in them, and caches are filled."""
LEAST_EPOCHS = 5
"""With fewer epochs after these, nothing is said of a growth."""
LEAST_BYTES = 500_000
"""A smaller growth of an epoch is none: allocators keep some."""
STEADY = 0.75
"""Memory grows if it does so in at least this share of the epochs."""
GOES_ON = 0.4
"""It goes on growing if an epoch of the second half adds at least this part of what one of the first half adds."""
MAINLY = 0.5
"""A hook is named if this share of the growth is in it."""


@dataclass(frozen=True)
class MemoryGrowth:
    """The growth of a process' memory in a fit.

    - `bytes_per_epoch`: the median growth of an epoch after the first ones.
    - `first_epoch`, `last_epoch`: the epochs between which it was measured.
    - `resident_bytes`: the memory at the end.
    - `callback`, `hook`: the hook in which most of it is; None if it is elsewhere: in the batches, or between epochs.
    """

    bytes_per_epoch: float
    first_epoch: int
    last_epoch: int
    resident_bytes: int
    callback: str | None
    hook: str | None


def memory_growth(memory: pd.DataFrame) -> MemoryGrowth | None:
    """The growth in one fit, whose rows of `memory` are given; None if there is none, or too little to tell."""
    memory = memory[memory["epoch"].notna().to_numpy(bool)].sort_values("time_ns", kind="stable")
    # What is read last in each epoch. Garbage and caches come and go, so the trend of many epochs counts.
    ends = memory.drop_duplicates("epoch", keep="last").iloc[WARM_UP:]
    steps = np.diff(ends["resident_bytes"].to_numpy(float))
    if len(steps) < LEAST_EPOCHS:
        return None
    half = len(steps) // 2
    # Means too: memory that is asked for in large pieces grows in one of many epochs.
    typical = float(np.median(steps))
    grows = typical >= LEAST_BYTES and float((steps > 0).mean()) >= STEADY
    if not grows or float(steps[half:].mean()) < GOES_ON * float(steps[:half].mean()):
        return None
    first, last = int(ends["epoch"].iloc[0]), int(ends["epoch"].iloc[-1])
    callback, hook = _main_hook(memory[memory["epoch"].between(first + 1, last).to_numpy(bool)], float(steps.sum()))
    return MemoryGrowth(typical, first, last, int(ends["resident_bytes"].iloc[-1]), callback, hook)


def _main_hook(memory: pd.DataFrame, growth: float) -> tuple[str | None, str | None]:
    """The callback and the hook in which most of the growth is; Nones if it is in none."""
    # A reading after a callback tells what this callback has added since the reading before it.
    added = memory["resident_bytes"].diff().where(memory["callback"].notna(), 0).fillna(0)
    by_hook = added.groupby([memory["callback"], memory["position"], memory["hook"]], observed=True).sum()
    if by_hook.empty or by_hook.max() < MAINLY * growth:
        return None, None
    callback, _, hook = by_hook.idxmax()
    return str(callback), str(hook)
