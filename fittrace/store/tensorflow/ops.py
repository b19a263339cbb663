"""What one batch ran, according to TensorFlow: ops, and stages of the data pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NAMELESS = "(no name)"
"""The name of an op for which TensorFlow has none."""
LATEST = 1 << 62
"""Moments and durations, in nanoseconds, are below. A greater one is damage."""

WAITS = frozenset(
    {"IteratorGetNext", "IteratorGetNextSync", "IteratorGetNextAsOptional", "MultiDeviceIteratorGetNextFromShard"}
)
"""Types of ops that wait for the data pipeline."""
RECEIVES = frozenset({"_Recv", "_HostRecv"})
"""Types of ops that wait for a tensor from another device."""


@dataclass(slots=True)
class Op:
    """One run of an op, or of a stage of the data pipeline. Moments are nanoseconds of the process' clock.

    - `name`, `type`: the op's name and TensorFlow's type of it, such as `MatMul`.
    - `device`: the device that ran it.
    - `thread`: the thread or stream that ran it; None: unknown, or it waited on no thread.
    - `start_ns`, `duration_ns`: when it ran.
    - `scheduled_ns`: when it was scheduled; None: unknown.
    - `memory_bytes`: the memory that it allocated; None: unknown.
    - `shapes`: the shapes of its outputs; None: unknown.
    - `kernel`: the kernel or copy that a device ran for it, or that the host launched. If that belongs to no op, it is
      the name and the type too.
    - `on_device`: whether something other than the host's processor ran it.
    - `self_ns`: the duration without the ops inside it on the same thread.
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
        """Whether its times are possible."""
        return 0 <= self.start_ns < LATEST and 0 <= self.duration_ns < LATEST

    @property
    def in_pipeline(self) -> bool:
        """Whether a thread of the data pipeline ran it, in parallel to the batch."""
        return self.thread is not None and self.thread.startswith("tf_data")

    @property
    def waits(self) -> bool:
        """Whether it waits for the data pipeline."""
        return self.type in WAITS

    @property
    def receives(self) -> bool:
        """Whether it waits for another device. The copy itself is an op with a kernel, and does not wait."""
        return self.type in RECEIVES and self.kernel is None


@dataclass
class Contents:
    """The ops of one batch and the stages of its data pipeline.

    - `ops`, `pipeline`: the ops and the stages, in order of start.
    - `unsound`: how many of them were left out because their times are impossible.
    - `data_wait_ns`: time in which ops waited for data, and no other op ran.
    - `compute_ns`: time in which at least one op ran that does not wait.
    - `host_ns`, `device_ns`: of `compute_ns`, the time in which such an op ran on the host, and on another device.

    An op that waits for another device counts in none of these times.
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
    """Set `self_ns` of `rows`, which are in order of start: on one thread, an op may run inside another one.

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
    """The nanoseconds in which at least one of `rows` ran. They are in order of start.

    >>> covered([Op("f", "", "", "a", 0, 10), Op("g", "", "", "b", 5, 10), Op("h", "", "", "a", 20, 1)])
    16
    """
    total = end = 0
    for row in rows:
        begin = max(row.start_ns, end)
        end = max(end, row.start_ns + row.duration_ns)
        total += max(end - begin, 0)
    return total
