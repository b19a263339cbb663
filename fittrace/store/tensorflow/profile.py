"""Reading the profile of a batch, which TensorFlow's profiler makes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...schema.journal_format import ANCHOR
from .gpu_streams import StreamEvent, of_op, stream_named
from .messages import Message, Trace, bounded, text
from .ops import NAMELESS, Contents, Op

_HOST, _DEVICE = "/host:", "/device:"
_STARTED, _DONE = "ExecutorState::ProcessAsync::Start", "ExecutorState::ProcessAsync::Done"
_ITERATOR = "Iterator::"
_FETCHING = "tf_data_iterator_get_next"
"""The prefix of the threads that make the data for which an op waits."""
_EAGER = re.compile(r"EagerLocalExecute: (?P<type>[A-Za-z]\w*)")
"""An op that Python runs eagerly. Functions, whose names begin with underscores, are no ops."""
_OP = re.compile(r"(?P<name>.+):(?P<type>_?[A-Za-z][\w>]*)", re.DOTALL)
_INSTRUCTION = "hlo_op"
"""The argument that marks an event of code that XLA compiled."""
_NUMBERED = re.compile(r"(?:\.\d+)+$")
"""The number that XLA appends to an instruction's type to make its name."""
_DERIVED = frozenset(
    {
        "Steps", "TensorFlow Name Scope", "TensorFlow Ops", "Framework Name Scope", "Framework Ops", "XLA Modules",
        "XLA Ops", "XLA TraceMe", "Source code", "Launch Stats", "Async XLA Ops", "Host Offload Ops", "_counters_",
    }
)  # fmt: skip
"""Lines that the profiler adds to a device. They repeat the events of its streams."""


class _Event(NamedTuple):
    """One event, with the names of its device and thread, on the process' clock."""

    name: str
    device: str
    thread: str
    start_ns: int
    duration_ns: int
    arguments: dict[str, str]

    @property
    def launch(self) -> str | None:
        """The number that a device's event shares with the host's event that launched it."""
        return self.arguments.get("correlation_id")

    def op(self, name: str, type_: str, kernel: str | None = None, **more: Any) -> Op:
        """The op of this event, with this name, type and kernel."""
        return Op(name, type_, self.device, self.thread, self.start_ns, self.duration_ns, kernel=kernel, **more)


def read(data: bytes, moments: tuple[int, int]) -> Contents:
    """The ops and the stages of the data pipeline in a profiler's `Trace`.

    Raises `DecodeError` for bytes that are not a `Trace`, and `TooMany` for more messages than a batch can have.

    - `data`: the bytes of the `Trace`.
    - `moments`: the process' clock when the profiler started, and at its event `ANCHOR`.
    """
    trace = Trace.FromString(bounded("Trace", data))
    ops, pipeline = [], []
    launched: dict[str | None, StreamEvent] = {}
    for event in _events(trace, moments, on_device=True):
        ran = launched[event.launch] = _ran(event)
        ops.append(event.op(*ran, on_device=True))
    # Asynchronous ops, which end on another thread than they begin on, by name and step.
    waiting: dict[tuple[str, str], list[Op]] = defaultdict(list)
    for event in _events(trace, moments, on_device=False):
        name, arguments = event.name, event.arguments
        if event.launch is not None:
            ops.append(event.op(*launched.get(event.launch, StreamEvent(name, name, name))))
        elif _INSTRUCTION in arguments:
            ops.append(event.op(*_instruction(arguments)))
        elif name == _STARTED:
            op = event.op(arguments.get("name") or NAMELESS, arguments.get("kernel_type", ""))
            waiting[op.name, arguments.get("step_id", "")].append(op)
            ops.append(op)
        elif name == _DONE:
            begun = waiting[arguments.get("name") or NAMELESS, arguments.get("step_id", "")]
            if begun:
                op = begun.pop(0)
                op.duration_ns = max(event.start_ns + event.duration_ns - op.start_ns, op.duration_ns)
                op.thread = None  # it has none while it waits
        elif name.startswith(_ITERATOR):
            stage = name[len(_ITERATOR) :].partition("#")[0]
            path = arguments.get("long_name") or name
            pipeline.append(event.op(path, stage or NAMELESS, shapes=arguments.get("shapes")))
        elif (found := _OP.fullmatch(_long_name(name, arguments))) and "::" not in name:
            ops.append(event.op(found["name"], found["type"]))
        elif found := _EAGER.fullmatch(name):
            ops.append(event.op(found["type"], found["type"]))
        elif event.device.startswith(_HOST) and not name:
            ops.append(event.op(NAMELESS, ""))
    _wait_for_pipelines(ops, pipeline)
    return Contents(ops, pipeline)


def _wait_for_pipelines(ops: list[Op], pipeline: list[Op]) -> None:
    """Extend ops that wait for data until the thread of the pipeline that makes the data has finished.

    Such an op gives the work to another thread, and ends when that thread has done it. Most profiles have both moments,
    but some have only the time that giving the work away took.
    """
    waiting = sorted((op for op in ops if op.waits and op.thread is not None), key=lambda op: op.start_ns)
    starts = [op.start_ns for op in waiting]
    for stage in pipeline:
        latest = bisect_right(starts, stage.start_ns) - 1
        if latest >= 0 and (stage.thread or "").startswith(_FETCHING) and stage.name.count("::") == 1:
            op = waiting[latest]
            op.duration_ns = max(op.duration_ns, stage.start_ns + stage.duration_ns - op.start_ns)
            op.thread = None  # it has none while it waits


def _events(trace: Message, moments: tuple[int, int], on_device: bool) -> Iterator[_Event]:
    """The events of the host, or with `on_device` of the devices, in order of time, without repeated ones.

    `moments` are as for `read`.
    """
    devices = {entry.key: text(entry.value.name) for entry in trace.devices}
    threads = {
        (entry.key, resource.key): stream_named(text(resource.value.name))
        for entry in trace.devices
        for resource in entry.value.resources
    }
    zero_ps = moments[0] * 1000
    for event in trace.trace_events:
        if event.name == ANCHOR.encode():
            zero_ps = moments[1] * 1000 - event.timestamp_ps
    not_host = {key for key, name in devices.items() if name.startswith(_DEVICE)}
    events = [event for event in trace.trace_events if (event.device_id in not_host) == on_device]
    for event in sorted(events, key=lambda event: event.timestamp_ps):
        device = devices.get(event.device_id, str(event.device_id))
        thread = threads.get((event.device_id, event.resource_id), str(event.resource_id))
        if on_device and thread in _DERIVED:
            continue
        times = (zero_ps + event.timestamp_ps) // 1000, event.duration_ps // 1000
        arguments = {text(argument.key): text(argument.value) for argument in event.args}
        yield _Event(text(event.name), device, thread, *times, arguments)


def _long_name(name: str, arguments: dict[str, str]) -> str:
    # Ops that send to another device have no long name: their own name is `name:Type`.
    return arguments.get("long_name") or (name if "key" in arguments else "")


def _ran(event: _Event) -> StreamEvent:
    """The op and the kernel of a device's event."""
    kernel, arguments = event.name or NAMELESS, event.arguments
    if _INSTRUCTION in arguments:
        return StreamEvent(*_instruction(arguments), kernel)
    annotation = arguments.get("tf_op")
    return of_op(annotation, kernel) if annotation else StreamEvent(kernel, kernel, kernel)


def _instruction(arguments: dict[str, str]) -> tuple[str, str]:
    """The name and type of an XLA instruction. A cluster of instructions is one op of TensorFlow."""
    instruction = arguments[_INSTRUCTION] or NAMELESS
    return arguments.get("name") or instruction, _NUMBERED.sub("", instruction)
