"""What TensorFlow tells of a GPU: messages made by hand, and those that one was seen to give."""

from __future__ import annotations

from typing import Any

import pytest

from fittrace.store.tensorflow import profile, run_metadata
from fittrace.store.tensorflow.messages import RunMetadata
from fittrace.store.tensorflow.ops import Contents, Op
from reading.told import NODE, WALL, event, ops, traced

GPU = "/device:GPU:0"
EXECUTOR = "/job:localhost/replica:0/task:0/device:GPU:0"


def facts(op: Op) -> tuple[str | None, ...]:
    """What is said of an op, but for its times."""
    return op.name, op.type, op.kernel, op.device, op.thread


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
        device=EXECUTOR,
        **{
            "/device:GPU:0/stream:all": [kernel],
            "/device:GPU:0/stream:13": [kernel],
            "/device:GPU:0/memcpy": [copy],
            "/device:GPU:0/stream:14": [copy],
        },
    )
    assert [facts(op) for op in found] == [
        ("dense/MatMul", "MatMul", None, EXECUTOR, None),
        ("edge_3_x", "MEMCPYHtoD", "MEMCPYHtoD", GPU, "stream:14"),
        ("dense/MatMul", *["void Eigen::internal::kernel<float>"] * 2, GPU, "stream:13"),
    ]
    assert [op.on_device for op in found] == [False, True, True]
    contents = Contents(found, [])
    assert (contents.host_ns, contents.device_ns) == (1_500, 60)


def on_stream(name: str, label: str = "", start: int = 0) -> dict[str, Any]:
    return {
        "node_name": name.encode(),
        "timeline_label": label.encode(),
        "all_start_micros": WALL // 1000 + start,
        "all_end_rel_micros": 3,
    }


# Names of planes, ops, kernels and copies as TensorFlow 1.14 told them of GPUs, in an analysis of ResNet-50 by others
# and in a description of its timeline; the order of planes is made up.
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
        device=EXECUTOR,
        **{
            "/device:GPU:0/stream:all": [kernel, copy, other, alone],
            f"{device}/context#0/stream#1:Kernel": [kernel, other],
            f"{device}/context#0/stream#3:MemcpyDtoH": [copy],
            f"{device}/context#0/null stream": [alone],
        },
    )
    eigen = "void Eigen::internal::EigenMetaKernel<float>(float, int)"
    assert {facts(op) for op in found} == {
        ("dense/MatMul", "MatMul", None, EXECUTOR, None),
        (L2LOSS, "L2Loss", MANGLED, GPU, "context#0/stream#1:Kernel"),
        ("dense/MatMul", "MatMul", eigen, GPU, "context#0/stream#1:Kernel"),
        (EDGE, "MemcpyDtoH", "MemcpyDtoH", GPU, "context#0/stream#3:MemcpyDtoH"),
        (*["void cub::DeviceScanKernel<int>(int)"] * 3, GPU, "context#0/null stream"),
    }
    assert {op.thread for op in found if not op.on_device} == {None}
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
    assert {facts(op) for op in found} == {
        ("dense/MatMul", "MatMul", None, "/device:CPU:0", None),
        ("cuStreamSynchronize", "", None, "/device:GPU:0/sync", None),
        ("dense/MatMul", "MatMul", "ampere_sgemm_32x32_sliced1x4_nn", GPU, "stream:20"),
        (*["void splitKreduce<float>(float)"] * 3, GPU, "stream:20"),
        (*["MemcpyH2D"] * 3, GPU, "stream:21"),
        (*["Memset"] * 3, GPU, "stream:"),
    }
    assert {op.device for op in found if op.on_device} == {GPU}


def test_a_device_whose_streams_nobody_traced_is_at_work_as_its_executor_says() -> None:
    (op,) = ops(NODE, device=EXECUTOR)
    assert op.on_device


PLANES = {
    1: (GPU, {14: "Stream #14(Compute,Memset)", 15: "Stream #15(MemcpyH2D)", 9: "TensorFlow Ops", 8: "Steps"}),
    701: ("/host:CPU", {1: "python", 2: "tf_Compute/5"}),
}


def test_a_profiles_streams_are_rows_and_what_repeats_them_is_not() -> None:
    """And the host's launches are, which tell of their ops what the streams do."""
    data = traced(
        event("_Send", 100, 60, long_name="x/_1:_Send", key="k"),
        event("MemcpyH2D", 110, 30, correlation_id="7", device_id="0"),
        event("MemcpyH2D", 150, 20, device=1, thread=15, tf_op="x/_1:_Send", correlation_id="7"),
        event("ampere_sgemm_32x32", 190, 8, correlation_id="8", device_id="0"),
        event("ampere_sgemm_32x32", 200, 400, device=1, thread=14, tf_op="dense/MatMul:MatMul", correlation_id="8"),
        event("Memset", 210, 3, device=1, thread=14),
        event("lost", 700, 5, correlation_id="9", device_id="0"),
        event("MatMul", 200, 400, device=1, thread=9),
        event("0", 100, 900, device=1, thread=8),
        devices=PLANES,
    )
    contents = profile.read(data, (0, 0))
    assert [facts(op) for op in contents.ops] == [
        ("x/_1", "_Send", None, "/host:CPU", "tf_Compute/5"),
        ("x/_1", "_Send", "MemcpyH2D", "/host:CPU", "tf_Compute/5"),
        ("x/_1", "_Send", "MemcpyH2D", GPU, "stream:15"),
        ("dense/MatMul", "MatMul", "ampere_sgemm_32x32", "/host:CPU", "tf_Compute/5"),
        ("dense/MatMul", "MatMul", "ampere_sgemm_32x32", GPU, "stream:14"),
        (*["Memset"] * 3, GPU, "stream:14"),
        (*["lost"] * 3, "/host:CPU", "tf_Compute/5"),
    ]
    assert (contents.host_ns, contents.device_ns, contents.compute_ns) == (60 + 8 + 5, 20 + 400, 70 + 8 + 400 + 5)


def test_an_instruction_of_xla_is_named_after_the_op_it_was_made_of() -> None:
    xla = {"tf_op": "StatefulPartitionedCall:StatefulPartitionedCall", "hlo_module": "a_inference.5"}
    data = traced(
        event("gemm_fusion_MatMul_4", 1, 6, device=1, thread=14, hlo_op="gemm_fusion_MatMul.4", name="a/dense", **xla),
        event("loop_add_fusion_1", 8, 1, device=1, thread=14, hlo_op="loop_add_fusion.1.clone", **xla),
        devices=PLANES,
    )
    assert [facts(op)[:3] for op in profile.read(data, (0, 0)).ops] == [
        ("a/dense", "gemm_fusion_MatMul", "gemm_fusion_MatMul_4"),
        ("loop_add_fusion.1.clone", "loop_add_fusion.1.clone", "loop_add_fusion_1"),
    ]


def test_an_instruction_of_xla_on_the_host_is_an_op_too() -> None:
    data = traced(
        event("MatMul.4", 10, 5, hlo_op="MatMul.4", hlo_module="a_inference.5", run_id="-1"),
        event("end: MatMul.4", 15, 1),
        event("", 20, 5, hlo_op="", hlo_module="a_inference.5"),
    )
    told = [("MatMul.4", "MatMul"), ("(no name)", "(no name)")]
    assert [facts(op) for op in profile.read(data, (0, 0)).ops] == [
        (*names, None, "/host:CPU", "tf_Compute/5") for names in told
    ]


def test_waiting_for_another_device_is_no_work() -> None:
    which: dict[str, Any] = {"name": "x/_2", "kernel_type": "_Recv", "step_id": "1"}
    data = traced(
        event("ExecutorState::ProcessAsync::Start", 100, 5, name="IteratorGetNext", kernel_type="IteratorGetNext"),
        event("ExecutorState::ProcessAsync::Start", 105, 5, **which),
        event("ExecutorState::ProcessAsync::Done", 190, 10, name="IteratorGetNext"),
        event("MemcpyH2D", 210, 10, correlation_id="7", device_id="0"),
        event("MemcpyH2D", 215, 20, device=1, thread=15, tf_op="x/_2:_Recv", correlation_id="7"),
        event("ExecutorState::ProcessAsync::Done", 290, 10, **which),
        devices=PLANES,
    )
    contents = profile.read(data, (0, 0))
    assert (contents.data_wait_ns, contents.host_ns, contents.device_ns) == (100, 10, 20)
    assert [op.duration_ns for op in contents.ops if op.receives] == [195]


@pytest.mark.parametrize("number", [0, 1])
def test_metadata_made_of_a_profile_names_its_planes_as_tensorflow_does(number: int) -> None:
    gpu = f"/device:GPU:{number}"
    data = traced(
        event("ampere_sgemm_32x32", 190, 8, correlation_id="8", device_id="0"),
        event("ampere_sgemm_32x32", 200, 400, device=1, thread=14, tf_op="dense/MatMul:MatMul", correlation_id="8"),
        devices={**PLANES, 1: (gpu, PLANES[1][1])},
    )
    made = RunMetadata.FromString(run_metadata.of_profile(profile.read(data, (0, 0)), WALL))
    nodes = {plane.device.decode(): plane.node_stats[0] for plane in made.step_stats.dev_stats}
    assert {plane: (node.node_name.decode(), node.timeline_label.decode()) for plane, node in nodes.items()} == {
        f"/job:localhost/replica:0/task:0{gpu}": ("dense/MatMul", "dense/MatMul = MatMul()"),
        f"{gpu}/stream:14": ("dense/MatMul:MatMul", "ampere_sgemm_32x32"),
        f"{gpu}/stream:all": ("dense/MatMul:MatMul", "ampere_sgemm_32x32"),
    }
