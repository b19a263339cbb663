"""Messages as TensorFlow tells of a batch, made by hand."""

from __future__ import annotations

from typing import Any

from fittrace.store.tensorflow import step_stats
from fittrace.store.tensorflow.messages import RunMetadata, Trace
from fittrace.store.tensorflow.ops import Op

WALL = 1_760_000_000_000_000_000
CLOCK = 5_000_000_000


NODE = {
    "node_name": b"dense/MatMul",
    "timeline_label": b"[cpu 1MB 1MB] dense/MatMul = MatMul(x, dense/kernel)",
    "all_start_micros": WALL // 1000 + 7,
    "all_start_nanos": WALL + 7_250,
    "all_end_rel_nanos": 1_500,
    "scheduled_nanos": WALL + 6_000,
}


def metadata(*nodes: dict[str, Any], device: str = "/device:CPU:0", **planes: list[dict[str, Any]]) -> bytes:
    made = RunMetadata()
    for name, of in {device: list(nodes), **planes}.items():
        plane = made.step_stats.dev_stats.add(device=name.encode())
        for node in of:
            plane.node_stats.add(**node)
    return bytes(made.SerializeToString())


def ops(*nodes: dict[str, Any], **more: Any) -> list[Op]:
    return step_stats.read(metadata(*nodes, **more), (CLOCK, WALL)).ops


def traced(*events: dict[str, Any], devices: dict[int, tuple[str, dict[int, str]]] | None = None) -> bytes:
    made = Trace()
    for key, (name, resources) in (devices or {701: ("/host:CPU", {1: "python", 2: "tf_Compute/5"})}).items():
        device = made.devices.add(key=key).value
        device.name = name.encode()
        for number, resource in resources.items():
            device.resources.add(key=number).value.name = resource.encode()
    for event in events:
        arguments = event.pop("args", {})
        added = made.trace_events.add(**{"device_id": 701, "resource_id": 2, **event})
        for key, value in arguments.items():
            added.args.add(key=key.encode(), value=value if isinstance(value, bytes) else value.encode())
    return bytes(made.SerializeToString())


def event(
    name: str | bytes, start_ns: int, duration_ns: int, /, thread: int = 2, device: int = 701, **args: Any
) -> dict[str, Any]:
    times = {"timestamp_ps": start_ns * 1000 + 7, "duration_ps": duration_ns * 1000}
    place = {"device_id": device, "resource_id": thread}
    return {"name": name if isinstance(name, bytes) else name.encode(), "args": args, **times, **place}
