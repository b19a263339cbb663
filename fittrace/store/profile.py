"""Reading what TensorFlow's profiler gives for a batch, and making a `RunMetadata` of it."""

from __future__ import annotations

import re
from collections import defaultdict

from ..schema.journal import ANCHOR
from .messages import Message, RunMetadata, Trace, text
from .ops import NAMELESS, Contents, Op

_HOST, _DEVICE = "/host:", "/device:"
_STARTED, _DONE = "ExecutorState::ProcessAsync::Start", "ExecutorState::ProcessAsync::Done"
_ITERATOR = "Iterator::"
_EAGER = re.compile(r"EagerLocalExecute: (?P<type>[A-Za-z]\w*)")
"""An op that Python runs by itself. The names of functions begin with underscores."""
_OP = re.compile(r"(?P<name>.+):(?P<type>_?[A-Za-z][\w>]*)", re.DOTALL)
_DERIVED = frozenset(
    {
        "Steps", "TensorFlow Name Scope", "TensorFlow Ops", "Framework Name Scope", "Framework Ops", "XLA Modules",
        "XLA Ops", "XLA TraceMe", "Source code", "Launch Stats", "Async XLA Ops", "Host Offload Ops", "_counters_",
    }
)  # fmt: skip
"""Lines that the profiler adds to a device's streams, which repeat them."""


def read(data: bytes, moments: tuple[int, int]) -> Contents:
    """The ops and the stages of the data pipeline in the bytes of a profiler's `Trace`.

    `moments` are the process' clock when the profiler started, and at its event `ANCHOR`. Raises `DecodeError` where
    the bytes are no such thing.
    """
    trace = Trace.FromString(data)
    devices = {entry.key: text(entry.value.name) for entry in trace.devices}
    threads = {
        (entry.key, resource.key): text(resource.value.name)
        for entry in trace.devices
        for resource in entry.value.resources
    }
    zero_ps = moments[0] * 1000
    for event in trace.trace_events:
        if event.name == ANCHOR.encode():
            zero_ps = moments[1] * 1000 - event.timestamp_ps
    ops, pipeline = [], []
    # Ops that end on another thread than they begin on, by what they are known by.
    waiting: dict[tuple[str, str], list[Op]] = defaultdict(list)
    for event in sorted(trace.trace_events, key=lambda event: event.timestamp_ps):
        device = devices.get(event.device_id, str(event.device_id))
        thread = threads.get((event.device_id, event.resource_id), str(event.resource_id))
        start_ns, duration_ns = (zero_ps + event.timestamp_ps) // 1000, event.duration_ps // 1000
        name = text(event.name)
        arguments = {text(one.key): text(one.value) for one in event.args}
        if device.startswith(_DEVICE):
            if thread not in _DERIVED:
                ops.append(Op(*_kernel(name, arguments), device, thread, start_ns, duration_ns, on_device=True))
        elif name == _STARTED:
            op = Op(
                arguments.get("name") or NAMELESS,
                arguments.get("kernel_type", ""),
                device,
                thread,
                start_ns,
                duration_ns,
            )
            waiting[op.name, arguments.get("step_id", "")].append(op)
            ops.append(op)
        elif name == _DONE:
            begun = waiting[arguments.get("name") or NAMELESS, arguments.get("step_id", "")]
            if begun:
                op = begun.pop(0)
                op.duration_ns = max(start_ns + duration_ns - op.start_ns, op.duration_ns)
                op.thread = None  # it has none while it waits
        elif name.startswith(_ITERATOR):
            path = arguments.get("long_name") or name
            stage = name[len(_ITERATOR) :].partition("#")[0]
            pipeline.append(
                Op(path, stage or NAMELESS, device, thread, start_ns, duration_ns, shapes=arguments.get("shapes"))
            )
        elif (found := _OP.fullmatch(_long_name(name, arguments))) and "::" not in name:
            ops.append(Op(found["name"], found["type"], device, thread, start_ns, duration_ns))
        elif found := _EAGER.fullmatch(name):
            ops.append(Op(found["type"], found["type"], device, thread, start_ns, duration_ns))
        elif device.startswith(_HOST) and not name:
            ops.append(Op(NAMELESS, "", device, thread, start_ns, duration_ns))
    return Contents(ops, pipeline)


def _long_name(name: str, arguments: dict[str, str]) -> str:
    # Those that send to another device say `name:Type` themselves.
    return arguments.get("long_name") or (name if "key" in arguments else "")


def _kernel(name: str, arguments: dict[str, str]) -> tuple[str, str]:
    """The name of the op that a device's event belongs to, and the kernel that ran."""
    op = arguments.get("tf_op") or arguments.get("hlo_op") or ""
    return op.rpartition(":")[0] or op or name or NAMELESS, name or NAMELESS


def as_run_metadata(contents: Contents, shift_ns: int) -> bytes:
    """A `RunMetadata` with the ops of `contents` in its `step_stats`, as bytes; `shift_ns` makes their clock Unix time.

    What the profiler does not tell is not there: memory, shapes, and when an op was scheduled.
    """
    result = RunMetadata()
    by_device: dict[str, list[Op]] = defaultdict(list)
    for op in contents.ops:
        # By such a name TensorFlow's tools know a stream.
        by_device[f"{op.device}/stream:{op.thread}" if op.on_device else op.device].append(op)
    for device, ops in by_device.items():
        plane = result.step_stats.dev_stats.add(device=device.encode())
        threads = {thread: number for number, thread in enumerate(sorted({op.thread or "async" for op in ops}))}
        for thread, number in threads.items():
            plane.thread_names.add(key=number, value=thread.encode())
        for op in ops:
            _add_node(plane, op, threads[op.thread or "async"], shift_ns)
    return bytes(result.SerializeToString())


def _add_node(plane: Message, op: Op, thread: int, shift_ns: int) -> None:
    start = op.start_ns + shift_ns
    plane.node_stats.add(
        node_name=(f"{op.name}:{op.type}" if op.on_device else op.name).encode(),
        timeline_label=f"{op.name} = {op.type}()".encode(),
        thread_id=thread,
        all_start_micros=start // 1000,
        op_end_rel_micros=op.duration_ns // 1000,
        all_end_rel_micros=op.duration_ns // 1000,
        all_start_nanos=start,
        op_end_rel_nanos=op.duration_ns,
        all_end_rel_nanos=op.duration_ns,
    )
