"""Rules on the memory of a process: one that grows with each epoch, and one that comes near its limit."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..memory_growth import memory_growth
from ..units import byte_size
from .rule import Finding, keras, number, rule, tensorflow

NEAR = 0.9
"""The memory is near its limit from this share of it on."""


@rule(
    "memory-growth",
    effect="the machine runs out of memory in a long training, and kills it",
    remedy="find what is kept in each epoch: a list that grows, a function or a dataset that is made anew",
    threads=[keras(13195), tensorflow(40523), tensorflow(37505)],
)
def memory_grows(memory: pd.DataFrame) -> Iterator[Finding]:
    """A process whose memory grows with each epoch, and does not settle."""
    growth = memory_growth(memory)
    if growth is None:
        return
    where = "" if growth.callback else ", outside of the hooks of epochs"
    each, end = byte_size(growth.bytes_per_epoch), byte_size(growth.resident_bytes)
    epochs = f"epochs {growth.first_epoch + 1:,} to {growth.last_epoch:,}"
    message = f"the process grows by {each} an epoch{where}, in {epochs}, to {end}"
    remedy = "keep less in this hook: write it to disk, or drop what earlier epochs left" if growth.callback else None
    yield Finding(message, growth.first_epoch + 1, None, growth.callback, growth.hook, remedy=remedy)


@rule(
    "memory-peak",
    effect="a little more, and the system kills the process",
    remedy="smaller batches, fewer workers and smaller shuffle buffers, or a machine with more memory",
    threads=[keras(20552)],
)
def memory_peak(memory: pd.DataFrame) -> Iterator[Finding]:
    """A process that comes near the limit of its cgroup, or near the memory of the machine."""
    limits = memory["limit_bytes"].dropna()
    if limits.empty:
        return
    limit, highest = float(limits.iloc[0]), memory.iloc[int(memory["resident_bytes"].to_numpy().argmax())]
    resident = float(highest["resident_bytes"])
    if resident > NEAR * limit:
        part = f"{100 * resident / limit:.0f} % of the {byte_size(limit)} that it may have"
        yield Finding(f"the process has {byte_size(resident)}, {part}", number(highest["epoch"]))


MEMORY = (memory_grows, memory_peak)
