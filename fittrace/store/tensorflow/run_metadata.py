"""Converting a profile into a `RunMetadata`, with each op in the plane where a session would have it."""

from __future__ import annotations

from collections import defaultdict

from .messages import Message, RunMetadata
from .ops import Contents, Op

_HOST = "/host:CPU"
_CPU, _FIRST_GPU = "/device:CPU:0", "/device:GPU:0"
_EXECUTOR = "/job:localhost/replica:0/task:0"
"""The prefix of the planes of a session's executors."""


def of_profile(contents: Contents, shift_ns: int) -> bytes:
    """The bytes of a `RunMetadata` with the ops of a batch in its `step_stats`.

    It lacks what the profiler does not record: memory, shapes, and when an op was scheduled.

    - `contents`: the ops.
    - `shift_ns`: added to their clock, it gives Unix time.
    """
    result = RunMetadata()
    by_plane: dict[str, list[Op]] = defaultdict(list)
    ran_on = {(op.name, op.kernel): op.device for op in contents.ops if op.on_device}
    for op in contents.ops:
        for name in _planes(op, ran_on.get((op.name, op.kernel), _FIRST_GPU)):
            by_plane[name].append(op)
    for name, ops in by_plane.items():
        plane = result.step_stats.dev_stats.add(device=name.encode())
        threads = {thread: number for number, thread in enumerate(sorted({op.thread or "async" for op in ops}))}
        for thread, number in threads.items():
            plane.thread_names.add(key=number, value=thread.encode())
        for op in ops:
            _add_node(plane, op, threads[op.thread or "async"], shift_ns)
    return bytes(result.SerializeToString())


def _planes(op: Op, ran_on: str) -> list[str]:
    """The planes where a session has an op. TensorFlow's own tools ignore the time of ops in other planes.

    `ran_on` is the device of the op's kernel, if the op launches one.
    """
    if op.on_device:
        return [f"{op.device}/{op.thread}", f"{op.device}/stream:all"]
    if op.device != _HOST:
        return [op.device]
    return [f"{_EXECUTOR}{_CPU if op.kernel is None else ran_on}"]


def _add_node(plane: Message, op: Op, thread: int, shift_ns: int) -> None:
    start = op.start_ns + shift_ns
    plane.node_stats.add(
        node_name=(f"{op.name}:{op.type}" if op.on_device else op.name).encode(),
        timeline_label=(op.kernel if op.on_device and op.kernel else f"{op.name} = {op.type}()").encode(),
        thread_id=thread,
        all_start_micros=start // 1000,
        op_end_rel_micros=op.duration_ns // 1000,
        all_end_rel_micros=op.duration_ns // 1000,
        all_start_nanos=start,
        op_end_rel_nanos=op.duration_ns,
        all_end_rel_nanos=op.duration_ns,
    )
