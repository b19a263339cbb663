"""Reading a `RunMetadata`, which a TensorFlow session fills."""

from __future__ import annotations

import re

from .gpu_streams import ran, repeated_by, stream_of, tells_waiting
from .messages import Message, RunMetadata, bounded, text
from .ops import NAMELESS, Contents, Op

_LABEL = re.compile(r".* = (?P<type>[\w>]+)\(", re.DOTALL)
_BY_TRACER = "/host:CPU"
"""The host's plane of the device tracer in TensorFlow 1. It repeats the ops of the executors' planes."""


def read(data: bytes, moments: tuple[int, int]) -> Contents:
    """The ops in a `RunMetadata`.

    Raises `DecodeError` for bytes that are not a `RunMetadata`, and `TooMany` for more messages than a batch can have.

    - `data`: the bytes of the `RunMetadata`.
    - `moments`: the process' clock and the wall clock at the same time.
    """
    clock_ns, wall_ns = moments
    ops = []
    planes = [
        (text(plane.device), plane)
        for plane in RunMetadata.FromString(bounded("RunMetadata", data)).step_stats.dev_stats
    ]
    streaming = {stream.device for name, _ in planes if (stream := stream_of(name))}
    for name, plane in planes:
        stream = stream_of(name)
        if (name == _BY_TRACER and len(planes) > 1) or repeated_by(name) in streaming:
            continue
        threads = {entry.key: text(entry.value) for entry in plane.thread_names}
        # If the device has planes of streams, these show its work, and the executor's plane shows the host's launches.
        is_host = "CPU" in name or tells_waiting(name) or any(name.endswith(device) for device in streaming)
        for node in plane.node_stats:
            op = _op(node, name, threads, clock_ns - wall_ns)
            op.on_device = stream is not None or not is_host
            if stream is not None:
                op.device, op.thread = stream.device, stream.name
                label = text(node.timeline_label)
                op.name, op.type, op.kernel = ran(stream, text(node.node_name) or NAMELESS, label)
            ops.append(op)
    return Contents(ops, [])


def _op(node: Message, device: str, threads: dict[int, str], shift_ns: int) -> Op:
    """The op in a `NodeExecStats`. `threads` are the names of threads by number; `shift_ns` converts the clock."""
    # Fields in microseconds stand in for those in nanoseconds that are not set.
    start = node.all_start_nanos or node.all_start_micros * 1000
    duration = node.all_end_rel_nanos or node.all_end_rel_micros * 1000
    scheduled = node.scheduled_nanos or node.scheduled_micros * 1000
    name, type_ = _name_and_type(text(node.node_name), text(node.timeline_label))
    thread = threads.get(node.thread_id, str(node.thread_id) if node.thread_id else None)
    memory = sum(allocator.total_bytes for allocator in node.memory)
    return Op(
        name or NAMELESS,
        type_,
        device,
        thread,
        start + shift_ns,
        duration,
        # TensorFlow 1.15 reads this moment from another clock. One that is impossible is left out.
        scheduled + shift_ns if 0 < scheduled <= start and scheduled + shift_ns >= 0 else None,
        memory if 0 < memory < 1 << 62 else None,
        _shapes(node),
    )


def _name_and_type(name: str, label: str) -> tuple[str, str]:
    """The name and type of an op, which TensorFlow labels `name = Type(inputs)` or names `name:Type`.

    >>> _name_and_type("dense/BiasAdd", "[cpu 1MB 1MB] dense/BiasAdd = _FusedMatMul(x, dense/kernel)")
    ('dense/BiasAdd', '_FusedMatMul')
    >>> _name_and_type("dense/BiasAdd:_FusedMatMul", "id=4,device=CPU:0")
    ('dense/BiasAdd', '_FusedMatMul')
    """
    if label_ := _LABEL.match(label):
        return name, label_["type"]
    before, colon, type_ = name.rpartition(":")
    return (before, type_) if colon and before else (name, "")


def _shapes(node: Message) -> str | None:
    """The shapes of an op's outputs, such as `[?,10] []`; None: unknown."""
    shapes = []
    for output in node.output:
        if output.HasField("tensor_description") and output.tensor_description.HasField("shape"):
            shape = output.tensor_description.shape
            sizes = ",".join("?" if dim.size < 0 else str(dim.size) for dim in shape.dim)
            shapes.append("?" if shape.unknown_rank else f"[{sizes}]")
    return " ".join(shapes) or None
