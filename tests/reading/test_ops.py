"""What TensorFlow told of a batch, read: its good parts, and what a stranger or a fault may have made of it."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from fittrace.schema.journal_format import ANCHOR, LARGEST_METADATA
from fittrace.store.journal.batch_metadata import PackedMetadata, UnreadableMetadata
from fittrace.store.tensorflow import profile, run_metadata, step_stats
from fittrace.store.tensorflow.messages import RunMetadata
from fittrace.store.tensorflow.ops import NAMELESS, Contents, Op
from reading.told import CLOCK, NODE, WALL, event, metadata, ops, traced


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


def test_an_event_of_ours_ties_the_profilers_clock_to_the_process() -> None:
    anchored = traced(event(ANCHOR, 90, 1, thread=1), event("MatMul", 100, 30, long_name="dense/MatMul:MatMul"))
    (op,) = profile.read(anchored, (CLOCK, CLOCK + 500)).ops
    assert (op.name, op.type, op.thread) == ("dense/MatMul", "MatMul", "tf_Compute/5")
    assert (op.start_ns, op.duration_ns) == (CLOCK + 510, 30)
    without = traced(event("MatMul", 100, 30, long_name="dense/MatMul:MatMul"))
    (op,) = profile.read(without, (CLOCK, CLOCK + 500)).ops
    assert op.start_ns == CLOCK + 100


def test_an_op_that_ends_on_another_thread_lasts_till_then() -> None:
    which: dict[str, Any] = {"name": "IteratorGetNext", "kernel_type": "IteratorGetNext", "step_id": "1"}
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


def test_metadata_that_is_made_of_a_profile_reads_like_a_sessions() -> None:
    contents = profile.read(traced(event("MatMul", 100, 30, long_name="dense/MatMul:MatMul")), (CLOCK, CLOCK))
    (op,) = step_stats.read(run_metadata.of_profile(contents, WALL - CLOCK), (CLOCK, WALL)).ops
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
        PackedMetadata(form, (0, 0), compressed).contents()
