"""What one batch ran, taken out of what TensorFlow told: ops, and stages of the data pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NAMELESS = "(no name)"
LATEST = 1 << 62
"""A moment or duration from here on, in nanoseconds, is damage."""

WAITS = frozenset(
    {"IteratorGetNext", "IteratorGetNextSync", "IteratorGetNextAsOptional", "MultiDeviceIteratorGetNextFromShard"}
)
"""Types of the ops that wait for data."""
RECEIVES = frozenset({"_Recv", "_HostRecv"})
"""Types of the ops that wait on one device for what another one makes."""


@dataclass(slots=True)
class Op:
    """One op, or one stage of the data pipeline, as it ran once. Moments are nanoseconds of the process' clock.

    `type` is what TensorFlow calls the kind of op. `kernel` is what a device ran for it, a kernel or a copy, or what
    the host launched there; where it is for no op, it is name and type as well. `on_device` says that it was something
    else than the host's processor. `self_ns` is the duration without the ops inside it, as far as the thread is known.
    `shapes` are those of the outputs.
    """

    name: str
    type: str
    device: str
    thread: str | None
    start_ns: int
    duration_ns: int
    scheduled_ns: int | None = None
    memory_bytes: int | None = None
    shapes: str | None = None
    kernel: str | None = None
    on_device: bool = False
    self_ns: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether its times can be."""
        return 0 <= self.start_ns < LATEST and 0 <= self.duration_ns < LATEST

    @property
    def in_pipeline(self) -> bool:
        """Whether the data pipeline ran it, beside the batch."""
        return self.thread is not None and self.thread.startswith("tf_data")

    @property
    def waits(self) -> bool:
        """Whether it waits for data."""
        return self.type in WAITS

    @property
    def receives(self) -> bool:
        """Whether it waits for another device; what it has copied meanwhile is apart."""
        return self.type in RECEIVES and self.kernel is None


@dataclass
class Contents:
    """The ops of one batch and the stages of its data pipeline, in order of start.

    `unsound` of them were left out, because they had no time that can be. What follows is time in which at least one
    op was at work: `data_wait_ns` waiting for data while no other was, `compute_ns` any other than that. An op that
    waits for another device is not at work.
    """

    ops: list[Op]
    pipeline: list[Op]
    unsound: int = 0
    data_wait_ns: int = field(init=False)
    compute_ns: int = field(init=False)
    host_ns: int = field(init=False)
    device_ns: int = field(init=False)

    def __post_init__(self) -> None:
        for rows in (self.ops, self.pipeline):
            total = len(rows)
            rows[:] = sorted((row for row in rows if row.is_sound), key=lambda row: (row.start_ns, -row.duration_ns))
            self.unsound += total - len(rows)
            nest(rows)
        own = [op for op in self.ops if not op.in_pipeline and not op.receives]
        working = [op for op in own if not op.waits]
        self.compute_ns = covered(working)
        self.data_wait_ns = covered(own) - self.compute_ns
        self.host_ns = covered(op for op in working if not op.on_device)
        self.device_ns = covered(op for op in working if op.on_device)


def nest(rows: Sequence[Op]) -> None:
    """Find `self_ns` of `rows`, which are in order of start: on a thread that is known, one may hold others.

    >>> rows = [Op("f", "", "", "main", 0, 10), Op("g", "", "", "main", 2, 5), Op("h", "", "", None, 2, 5)]
    >>> nest(rows)
    >>> [row.self_ns for row in rows]
    [5, 5, 5]
    """
    open_on: dict[tuple[str, str], list[Op]] = {}
    for row in rows:
        row.self_ns = row.duration_ns
        if row.thread is None:
            continue
        stack = open_on.setdefault((row.device, row.thread), [])
        end = row.start_ns + row.duration_ns
        while stack and end > stack[-1].start_ns + stack[-1].duration_ns:
            stack.pop()
        if stack:
            stack[-1].self_ns = max(stack[-1].self_ns - row.duration_ns, 0)
        stack.append(row)


def covered(rows: Iterable[Op]) -> int:
    """The nanoseconds in which at least one of `rows`, in order of start, was at work.

    >>> covered([Op("f", "", "", "a", 0, 10), Op("g", "", "", "b", 5, 10), Op("h", "", "", "a", 20, 1)])
    16
    """
    total = end = 0
    for row in rows:
        begin = max(row.start_ns, end)
        end = max(end, row.start_ns + row.duration_ns)
        total += max(end - begin, 0)
    return total
