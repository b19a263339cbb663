"""What TensorFlow told of a batch, read: its good parts, and what a stranger or a fault may have made of it."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from fittrace.schema.journal import ANCHOR, LARGEST_METADATA
from fittrace.store import profile, step_stats
from fittrace.store.messages import RunMetadata, Trace
from fittrace.store.metadata import Metadata, UnreadableMetadata
from fittrace.store.ops import NAMELESS, Contents, Op

WALL = 1_760_000_000_000_000_000
CLOCK = 5_000_000_000


def metadata(*nodes: dict[str, Any], device: str = "/device:CPU:0", **planes: list[dict[str, Any]]) -> bytes:
    made = RunMetadata()
    for name, of in {device: list(nodes), **planes}.items():
        plane = made.step_stats.dev_stats.add(device=name.encode())
        for node in of:
            plane.node_stats.add(**node)
    return bytes(made.SerializeToString())


def ops(*nodes: dict[str, Any], **more: Any) -> list[Op]:
    return step_stats.read(metadata(*nodes, **more), (CLOCK, WALL)).ops


NODE = {
    "node_name": b"dense/MatMul",
    "timeline_label": b"[cpu 1MB 1MB] dense/MatMul = MatMul(x, dense/kernel)",
    "all_start_micros": WALL // 1000 + 7,
    "all_start_nanos": WALL + 7_250,
    "all_end_rel_nanos": 1_500,
    "scheduled_nanos": WALL + 6_000,
}


def test_an_op_of_a_session_is_on_the_process_clock() -> None:
    (op,) = ops(NODE)
    assert (op.name, op.type, op.device, op.thread) == ("dense/MatMul", "MatMul", "/device:CPU:0", None)
    assert (op.start_ns, op.duration_ns, op.scheduled_ns) == (CLOCK + 7_250, 1_500, CLOCK + 6_000)
    assert not op.on_device


def test_a_tensorflow_that_tells_only_microseconds() -> None:
    (op,) = ops({"node_name": b"a:Add", "all_start_micros": WALL // 1000 + 7, "all_end_rel_micros": 3})
    assert (op.name, op.type, op.start_ns, op.duration_ns) == ("a", "Add", CLOCK + 7_000, 3_000)
    assert op.scheduled_ns is None and op.memory_bytes is None and op.shapes is None


def test_a_moment_of_scheduling_from_another_clock_is_left_out() -> None:
    """As TensorFlow 1.15 has it."""
    (op,) = ops({**NODE, "scheduled_nanos": 6_243_930_363_897_656_248})
    assert op.scheduled_ns is None and op.start_ns == CLOCK + 7_250


def test_memory_and_shapes() -> None:
    made = RunMetadata()
    node = made.step_stats.dev_stats.add(device=b"/device:GPU:0").node_stats.add(**NODE)
    for size in (1_000, 24):
        node.memory.add(allocator_name=b"gpu", total_bytes=size)
    for sizes in ([32, -1], []):
        shape = node.output.add().tensor_description.shape
        for size in sizes:
            shape.dim.add(size=size)
        shape.SetInParent()
    node.output.add().tensor_description.shape.unknown_rank = True
    (op,) = step_stats.read(made.SerializeToString(), (CLOCK, WALL)).ops
    assert (op.memory_bytes, op.shapes, op.on_device) == (1_024, "[32,?] [] ?", True)


def test_the_host_tracers_plane_repeats_the_executors() -> None:
    assert [op.device for op in ops(NODE, **{"/host:CPU": [NODE]})] == ["/device:CPU:0"]
    assert [op.device for op in ops(NODE, device="/host:CPU")] == ["/host:CPU"]


def test_a_devices_streams_are_its_own_and_told_once() -> None:
    """After TensorFlow's device tracer: each kernel is on a plane of its stream, and on one for all of them."""
    kernel = {
        "node_name": b"dense/MatMul:void Eigen::internal::kernel<float>",
        "all_start_nanos": WALL + 9_000,
        "all_end_rel_nanos": 40,
    }
    copy = {"node_name": b"edge_3_x:MEMCPYHtoD", "all_start_nanos": WALL + 8_000, "all_end_rel_nanos": 20}
    found = ops(
        NODE,
        device="/job:localhost/replica:0/task:0/device:GPU:0",
        **{
            "/device:GPU:0/stream:all": [kernel],
            "/device:GPU:0/stream:13": [kernel],
            "/device:GPU:0/memcpy": [copy],
            "/device:GPU:0/stream:14": [copy],
        },
    )
    assert [(op.name, op.type, op.device, op.thread, op.on_device) for op in found] == [
        ("dense/MatMul", "MatMul", "/job:localhost/replica:0/task:0/device:GPU:0", None, False),
        ("edge_3_x", "MEMCPYHtoD", "/device:GPU:0", "stream:14", True),
        ("dense/MatMul", "void Eigen::internal::kernel<float>", "/device:GPU:0", "stream:13", True),
    ]
    contents = Contents(found, [])
    assert (contents.host_ns, contents.device_ns) == (1_500, 60)


def on_stream(name: str, label: str = "", start: int = 0) -> dict[str, Any]:
    return {
        "node_name": name.encode(),
        "timeline_label": label.encode(),
        "all_start_micros": WALL // 1000 + start,
        "all_end_rel_micros": 3,
    }


# No GPU was at hand. The names of planes, ops, kernels and copies are as GPUs told them: TensorFlow 1.14 in an analysis
# of ResNet-50 by others, and in a description of its timeline; the order of planes is made up.
L2LOSS = "resnet_v2_50/block4/unit_2/bottleneck_v2/conv2/kernel/Regularizer/l2_regularizer/L2Loss"
MANGLED = (
    "_ZN3cub18DeviceReduceKernelINS_18DeviceReducePolicyIfiNS_3SumEE9Policy600ENS_22TransformInputIteratorIfN10tensorf"
    "low10squareHalfIfEEPflEES9_iS2_EEvT0_T1_T2_NS_13GridEvenShareISD_EET3_"
)
EDGE = "edge_714_resnet_v2_50/block1/unit_1/bottleneck_v2/conv1/BatchNorm/FusedBatchNorm"


@pytest.mark.parametrize("device", ["/gpu:0", "/gpu:0 (Tesla V100-SXM2 (16GB))"])
def test_streams_as_tensorflow_1_15_calls_them(device: str) -> None:
    kernel, copy = on_stream(f"{L2LOSS}:L2Loss#id=2592#::{MANGLED}"), on_stream(f"{EDGE}::MemcpyDtoH", "256 bytes", 1)
    other = on_stream("dense/MatMul:MatMul@@void Eigen::internal::EigenMetaKernel<float>(float, int)", start=2)
    alone = on_stream("void cub::DeviceScanKernel<int>(int)", start=3)
    found = ops(
        NODE,
        device="/job:localhost/replica:0/task:0/device:GPU:0",
        **{
            "/device:GPU:0/stream:all": [kernel, copy, other, alone],
            f"{device}/context#0/stream#1:Kernel": [kernel, other],
            f"{device}/context#0/stream#3:MemcpyDtoH": [copy],
            f"{device}/context#0/null stream": [alone],
        },
    )
    gpu = "/device:GPU:0"
    assert {(op.name, op.type, op.device, op.thread, op.on_device) for op in found} == {
        ("dense/MatMul", "MatMul", "/job:localhost/replica:0/task:0/device:GPU:0", None, False),
        (L2LOSS, MANGLED, gpu, "context#0/stream#1:Kernel", True),
        (
            "dense/MatMul",
            "void Eigen::internal::EigenMetaKernel<float>(float, int)",
            gpu,
            "context#0/stream#1:Kernel",
            True,
        ),
        (EDGE, "MemcpyDtoH", gpu, "context#0/stream#3:MemcpyDtoH", True),
        ("void cub::DeviceScanKernel<int>(int)",) * 2 + (gpu, "context#0/null stream", True),
    }
    assert Contents(found, []).device_ns == 6_000  # from 0 to 6 µs, where each takes 3


def test_streams_as_tensorflow_2_calls_them() -> None:
    details = "regs:57 shm:4096 grid:2,1,1 block:128,1,1"
    kernel = on_stream("dense/MatMul:MatMul", f"ampere_sgemm_32x32_sliced1x4_nn {details}")
    alone = on_stream("void splitKreduce<float>(float)", f"void splitKreduce<float>(float) {details}", 4)
    copy = on_stream("MemcpyH2D", "MemcpyH2D kind:H2D size:512 dest:0 async:1", 2)
    found = ops(
        NODE,
        **{
            "/device:GPU:0/sync": [on_stream("cuStreamSynchronize", "ThreadId 7", 9)],
            "/device:GPU:0/stream:20": [kernel, alone],
            "/device:GPU:0/stream:all": [kernel, alone],
            "/device:GPU:0/stream:21<MemcpyH2D>": [copy],
            "/device:GPU:0/memcpy": [copy],
            "/device:GPU:0/stream:": [on_stream("Memset", "Memset", 3)],
        },
    )
    assert {
        (op.name, op.type, op.device, op.thread, op.on_device)
        for op in found
        if op.name != "dense/MatMul" or op.on_device
    } == {
        ("cuStreamSynchronize", "", "/device:GPU:0/sync", None, False),
        ("dense/MatMul", "ampere_sgemm_32x32_sliced1x4_nn", "/device:GPU:0", "stream:20", True),
        ("void splitKreduce<float>(float)",) * 2 + ("/device:GPU:0", "stream:20", True),
        ("MemcpyH2D", "MemcpyH2D", "/device:GPU:0", "stream:21", True),
        ("Memset", "Memset", "/device:GPU:0", "stream:", True),
    }


def test_a_device_whose_streams_nobody_traced_is_at_work_as_its_executor_says() -> None:
    (op,) = ops(NODE, device="/job:localhost/replica:0/task:0/device:GPU:0")
    assert op.on_device


@pytest.mark.parametrize(
    ("name", "label", "shown", "kind"),
    [
        (b"", b"", NAMELESS, ""),
        (b"caf\xe9", b"caf\xe9 = Ad\xffd()", "caf\\xe9", ""),
        (b"a\xff:Add", b"", "a\\xff", "Add"),
        (b"\x1b[31m\n", b"", "\x1b[31m\n", ""),
    ],
)
def test_an_op_without_a_name_or_with_one_that_is_no_text(name: bytes, label: bytes, shown: str, kind: str) -> None:
    (op,) = ops({**NODE, "node_name": name, "timeline_label": label})
    assert (op.name, op.type) == (shown, kind)


@pytest.mark.parametrize("change", [{"all_end_rel_nanos": -5}, {"all_start_nanos": -(1 << 62)}, {"all_start_nanos": 1}])
def test_an_op_with_times_that_cannot_be_is_left_out_and_counted(change: dict[str, int]) -> None:
    contents = step_stats.read(metadata(NODE, {**NODE, **change}), (CLOCK, WALL))
    assert (len(contents.ops), contents.unsound) == (1, 1)


def test_time_at_work_is_counted_once() -> None:
    def op(kind: str, device: str, thread: str, start: int, duration: int) -> Op:
        return Op(kind, kind, device, thread, start, duration, on_device="GPU" in device)

    contents = Contents(
        [
            op("IteratorGetNext", "/host:CPU", "a", 0, 100),
            op("MatMul", "/host:CPU", "b", 80, 40),
            op("Add", "/host:CPU", "c", 100, 30),
            op("kernel", "/device:GPU:0", "stream", 120, 50),
            op("Slice", "/host:CPU", "tf_data_private_threadpool/1", 500, 1000),
        ],
        [],
    )
    assert (contents.data_wait_ns, contents.compute_ns) == (80, 90)
    assert (contents.host_ns, contents.device_ns) == (50, 50)


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


def test_an_event_of_ours_ties_the_profilers_clock_to_the_process() -> None:
    anchored = traced(event(ANCHOR, 90, 1, thread=1), event("MatMul", 100, 30, long_name="dense/MatMul:MatMul"))
    (op,) = profile.read(anchored, (CLOCK, CLOCK + 500)).ops
    assert (op.name, op.type, op.thread) == ("dense/MatMul", "MatMul", "tf_Compute/5")
    assert (op.start_ns, op.duration_ns) == (CLOCK + 510, 30)
    without = traced(event("MatMul", 100, 30, long_name="dense/MatMul:MatMul"))
    (op,) = profile.read(without, (CLOCK, CLOCK + 500)).ops
    assert op.start_ns == CLOCK + 100


def test_an_op_that_ends_on_another_thread_lasts_till_then() -> None:
    which = {"name": "IteratorGetNext", "kernel_type": "IteratorGetNext", "step_id": "1"}
    contents = profile.read(
        traced(
            event("ExecutorState::ProcessAsync::Start", 100, 10, **which),
            event("ExecutorState::ProcessAsync::Start", 150, 10, **{**which, "step_id": "2"}),
            event("ExecutorState::ProcessAsync::Done", 300, 20, thread=1, **which),
        ),
        (0, 0),
    )
    assert [(op.start_ns, op.duration_ns, op.waits) for op in contents.ops] == [(100, 220, True), (150, 10, True)]
    assert (contents.data_wait_ns, contents.compute_ns) == (220, 0)


def test_the_data_pipeline_is_apart_and_the_runtimes_own_events_are_left_out() -> None:
    contents = profile.read(
        traced(
            event("Iterator::Map", 100, 50, long_name="Iterator::Root::Map", shapes="[32,8]"),
            event("Iterator::Batch", 110, 20, long_name="Iterator::Root::Map::Batch"),
            event("ThreadpoolListener::Record", 100, 0),
            event("ExecutorState::Process", 100, 50, id="1"),
            event("EagerLocalExecute: __inference_step_5", 90, 90),
            event("EagerLocalExecute: Pack", 90, 9),
            event("_send_x_0:_Send", 90, 9, key="k"),
        ),
        (0, 0),
    )
    assert [(op.name, op.type) for op in contents.ops] == [("Pack", "Pack"), ("_send_x_0", "_Send")]
    stages = [(stage.name, stage.type, stage.self_ns, stage.shapes) for stage in contents.pipeline]
    assert stages == [("Iterator::Root::Map", "Map", 30, "[32,8]"), ("Iterator::Root::Map::Batch", "Batch", 20, None)]


@pytest.mark.parametrize(
    ("name", "arguments", "shown"),
    [
        (b"", {}, NAMELESS),
        (b"Ad\xffd", {"long_name": b"caf\xe9/Add:Add"}, "caf\\xe9/Add"),
        (b"Iterator::\xff", {}, None),
        (b"x" * 5, {"long_name": ":Add"}, None),
    ],
)
def test_an_event_without_a_name_or_with_one_that_is_no_text(name: bytes, arguments: Any, shown: str | None) -> None:
    found = profile.read(traced(event(name, 1, 2, **arguments)), (0, 0)).ops
    assert [op.name for op in found] == ([] if shown is None else [shown])


# No GPU was at hand: these planes are made after TensorFlow's sources, not recorded.
GPU = {
    1: ("/device:GPU:0", {14: "Stream #14(Compute)", 15: "Stream #15(MemcpyH2D)", 9: "TensorFlow Ops", 8: "Steps"}),
    701: ("/host:CPU", {1: "python", 2: "tf_Compute/5"}),
}


def test_a_gpus_streams_are_rows_and_what_repeats_them_is_not() -> None:
    data = traced(
        event("MatMul", 100, 30, long_name="dense/MatMul:MatMul"),
        event("ampere_sgemm_32x32", 200, 400, device=1, thread=14, tf_op="dense/MatMul:MatMul"),
        event("MemcpyH2D", 150, 20, device=1, thread=15, memcpy_details="kind:H2D size:512"),
        event("MatMul", 200, 400, device=1, thread=9),
        event("0", 100, 900, device=1, thread=8),
        devices=GPU,
    )
    contents = profile.read(data, (0, 0))
    rows = [(op.name, op.type, op.device, op.thread, op.on_device) for op in contents.ops]
    assert rows == [
        ("dense/MatMul", "MatMul", "/host:CPU", "tf_Compute/5", False),
        ("MemcpyH2D", "MemcpyH2D", "/device:GPU:0", "Stream #15(MemcpyH2D)", True),
        ("dense/MatMul", "ampere_sgemm_32x32", "/device:GPU:0", "Stream #14(Compute)", True),
    ]
    assert (contents.host_ns, contents.device_ns, contents.compute_ns) == (30, 420, 450)
    made = RunMetadata.FromString(profile.as_run_metadata(contents, WALL))
    planes = {plane.device.decode(): plane.node_stats[0].node_name.decode() for plane in made.step_stats.dev_stats}
    assert planes == {
        "/host:CPU": "dense/MatMul",
        "/device:GPU:0/stream:Stream #15(MemcpyH2D)": "MemcpyH2D:MemcpyH2D",
        "/device:GPU:0/stream:Stream #14(Compute)": "dense/MatMul:ampere_sgemm_32x32",
    }


def test_metadata_that_is_made_of_a_profile_reads_like_a_sessions() -> None:
    contents = profile.read(traced(event("MatMul", 100, 30, long_name="dense/MatMul:MatMul")), (CLOCK, CLOCK))
    (op,) = step_stats.read(profile.as_run_metadata(contents, WALL - CLOCK), (CLOCK, WALL)).ops
    assert (op.name, op.type, op.thread) == ("dense/MatMul", "MatMul", "tf_Compute/5")
    assert (op.start_ns, op.duration_ns) == (CLOCK + 100, 30)


@pytest.mark.parametrize("form", ["run_metadata", "profile"])
@pytest.mark.parametrize(
    "compressed",
    [
        b"",
        b"no zlib",
        zlib.compress(b"no protobuf"),
        zlib.compress(metadata(NODE) * 50)[:-9],
        zlib.compress(b"\0" * (LARGEST_METADATA + 1)),
    ],
    ids=["nothing", "no zlib", "no protobuf", "cut off", "a bomb"],
)
def test_metadata_that_is_none_is_said_to_be(form: str, compressed: bytes) -> None:
    with pytest.raises(UnreadableMetadata):
        Metadata(form, (0, 0), compressed).contents()
