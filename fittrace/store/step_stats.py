"""Reading a `RunMetadata`, as a session fills it."""

from __future__ import annotations

import re

from .messages import Message, RunMetadata, text
from .ops import NAMELESS, Contents, Op

_LABEL = re.compile(r"(?:\[.*?\] )?.* = (?P<type>[\w>]+)\(", re.DOTALL)
_BY_TRACER = "/host:CPU"
"""The host's plane of the device tracer, in TensorFlow 1: it repeats what the executors told."""
_STREAM = re.compile(r"(?P<device>.*/device:\w+:\d+)/(?P<stream>stream:\d+)")
_REPEATING = re.compile(r"(?P<device>.*/device:\w+:\d+)/(?:stream:all|memcpy)")
"""A device's plane that repeats what is on those of its streams."""


def read(data: bytes, moments: tuple[int, int]) -> Contents:
    """The ops in the bytes of a `RunMetadata`. `moments`: the process' clock and the wall clock at one time.

    Raises `DecodeError` where they are none.
    """
    clock_ns, wall_ns = moments
    ops = []
    planes = [(text(plane.device), plane) for plane in RunMetadata.FromString(data).step_stats.dev_stats]
    streaming = {found["device"] for name, _ in planes if (found := _STREAM.fullmatch(name))}
    for name, plane in planes:
        repeating, stream = _REPEATING.fullmatch(name), _STREAM.fullmatch(name)
        if (name == _BY_TRACER and len(planes) > 1) or (repeating and repeating["device"] in streaming):
            continue
        threads = {entry.key: text(entry.value) for entry in plane.thread_names}
        # Where the streams tell what the device did, the executor's plane tells how the host had it done.
        on_device = bool(stream) or ("CPU" not in name and not any(name.endswith(device) for device in streaming))
        for node in plane.node_stats:
            op = _op(node, name, threads, clock_ns - wall_ns)
            op.on_device = on_device
            if stream:
                op.device, op.thread = stream["device"], stream["stream"]
                # The names of kernels have colons.
                name_, _, op.type = text(node.node_name).partition(":")
                op.name = name_ or NAMELESS
            ops.append(op)
    return Contents(ops, [])


def _op(node: Message, device: str, threads: dict[int, str], shift_ns: int) -> Op:
    start = node.all_start_nanos or node.all_start_micros * 1000
    duration = node.all_end_rel_nanos or node.all_end_rel_micros * 1000
    scheduled = node.scheduled_nanos or node.scheduled_micros * 1000
    name, type_ = _name_and_type(text(node.node_name), text(node.timeline_label))
    thread = threads.get(node.thread_id, str(node.thread_id) if node.thread_id else None)
    memory = sum(one.total_bytes for one in node.memory)
    return Op(
        name or NAMELESS,
        type_,
        device,
        thread,
        start + shift_ns,
        duration,
        # TensorFlow 1.15 takes this moment from another clock.
        scheduled + shift_ns if 0 < scheduled <= start and scheduled + shift_ns >= 0 else None,
        memory if 0 < memory < 1 << 62 else None,
        _shapes(node),
    )


def _name_and_type(name: str, label: str) -> tuple[str, str]:
    """An op's name and type: TensorFlow labels an op `name = Type(inputs)`, or names it `name:Type`.

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
    shapes = []
    for output in node.output:
        if output.HasField("tensor_description") and output.tensor_description.HasField("shape"):
            shape = output.tensor_description.shape
            sizes = ",".join("?" if dim.size < 0 else str(dim.size) for dim in shape.dim)
            shapes.append("?" if shape.unknown_rank else f"[{sizes}]")
    return " ".join(shapes) or None
