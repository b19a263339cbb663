"""What TensorFlow told of one batch on a GPU, read where there is none.

The samples in `on_gpu` were recorded on an NVIDIA H200 by scripts/gpu-samples; none of it is made up.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from fittrace.store.journal.batch_metadata import PackedMetadata
from fittrace.store.tensorflow import run_metadata
from fittrace.store.tensorflow.messages import RunMetadata
from fittrace.store.tensorflow.ops import Contents, Op

SAMPLES = Path(__file__).parent / "on_gpu"
GPU = "/device:GPU:0"
CONVOLUTION = re.compile("conv2d", re.IGNORECASE)


@dataclass(frozen=True)
class Sample:
    """The protobuf of a batch, and what else is known of it."""

    name: str
    data: bytes
    facts: dict[str, Any]

    @property
    def is_profile(self) -> bool:
        return bool(self.facts["format"] == "profile")

    @cached_property
    def contents(self) -> Contents:
        moments = self.facts["clock_ns"], self.facts["reference_ns"]
        return PackedMetadata(self.facts["format"], moments, zlib.compress(self.data)).contents()

    @property
    def on_gpu(self) -> list[Op]:
        return [op for op in self.contents.ops if op.on_device]


@pytest.fixture(scope="module", params=["keras-3", "keras-3-xla", "tf-keras", "tf-keras-v1"])
def sample(request: pytest.FixtureRequest) -> Sample:
    name = request.param
    facts = json.loads((SAMPLES / f"{name}.json").read_text())
    return Sample(name, gzip.decompress((SAMPLES / f"{name}.pb.gz").read_bytes()), facts)


def test_what_ran_on_the_gpu_is_on_its_streams_with_its_kernel(sample: Sample) -> None:
    assert len(sample.on_gpu) > 15
    assert {op.device for op in sample.on_gpu} == {GPU}
    # TensorFlow's own conversion names no stream where memory was set.
    assert all(re.fullmatch(r"stream:\d+", op.thread or "") or op.kernel == "Memset 3" for op in sample.on_gpu)
    assert all(op.kernel for op in sample.on_gpu)
    assert {"MemcpyH2D"} < {op.kernel for op in sample.on_gpu}


def test_the_networks_ops_are_among_them_by_name_and_type(sample: Sample) -> None:
    """By name, and by the type that TensorFlow, or XLA, knows them under."""
    convolutions = [op for op in sample.on_gpu if CONVOLUTION.search(op.name) and op.type != op.kernel]
    products = [op for op in sample.on_gpu if "MatMul" in op.type]
    assert convolutions and products
    backwards = [op for op in convolutions if "BackpropFilter" in op.name]
    assert backwards
    if sample.name == "keras-3-xla":
        assert {op.type for op in backwards} == {"cudnn-conv-bw-filter"}
        assert {op.type for op in products} >= {"gemm_fusion_MatMul"}
    else:
        assert {op.type for op in backwards} >= {"Conv2DBackpropFilter"}
        assert {op.type for op in products} == {"MatMul"}
    assert not any(op.name == "StatefulPartitionedCall" for op in sample.on_gpu)


def test_each_op_lies_inside_its_function(sample: Sample) -> None:
    start = sample.facts["function_start_ns"]
    end = start + sample.facts["function_duration_ns"]
    own = [op for op in sample.contents.ops if not op.in_pipeline]
    assert all(start <= op.start_ns and op.start_ns + op.duration_ns <= end for op in own)
    assert sample.contents.unsound == 0


def test_the_clocks_of_host_and_gpu_agree(sample: Sample) -> None:
    """Nothing ran before it was launched."""
    if not sample.is_profile:
        pytest.skip("a session does not tell of launches")
    ops = sample.contents.ops
    launches: dict[tuple[str, str, str | None], list[int]] = {_as_launched(op): [] for op in ops if op.kernel}
    for op in ops:
        if op.kernel and not op.on_device:
            launches[_as_launched(op)].append(op.start_ns)
    ran = [op for op in ops if op.on_device]
    assert Counter(map(_as_launched, ran)) == Counter({key: len(starts) for key, starts in launches.items()})
    for op in ran:
        assert launches[_as_launched(op)].pop(0) <= op.start_ns


def _as_launched(op: Op) -> tuple[str, str, str | None]:
    return op.name, op.type, op.kernel


def test_the_batchs_time_is_told_apart(sample: Sample) -> None:
    contents = sample.contents
    assert 0 < contents.device_ns < contents.host_ns <= contents.compute_ns
    assert contents.compute_ns + contents.data_wait_ns <= sample.facts["function_duration_ns"]
    assert contents.device_ns <= sum(op.duration_ns for op in sample.on_gpu)
    assert (contents.data_wait_ns > 0) == sample.is_profile
    # The GPU's executor waits for its data meanwhile, which is no work; some ops need none of it.
    assert contents.data_wait_ns >= 0.5 * sum(op.duration_ns for op in contents.ops if op.waits)


def test_what_tensorflow_tells_twice_is_counted_once(sample: Sample) -> None:
    if sample.is_profile:
        pytest.skip("a profile repeats nothing")
    planes = {plane.device.decode(): plane for plane in RunMetadata.FromString(sample.data).step_stats.dev_stats}
    told = [len(planes[f"{GPU}/stream:all"].node_stats), len(planes[f"{GPU}/memcpy"].node_stats)]
    assert len(sample.on_gpu) == sum(told) + len(planes[f"{GPU}/stream:"].node_stats)


TENSORFLOWS_OWN = """
import json, sys
import tensorflow as tf
from tensorflow.python.client.timeline import Timeline

metadata = tf.compat.v1.RunMetadata.FromString(open(sys.argv[1], "rb").read())
events = json.loads(Timeline(metadata.step_stats).generate_chrome_trace_format())["traceEvents"]
with tf.Graph().as_default() as graph:
    tf.no_op(name=sys.argv[2])
build = tf.compat.v1.profiler.ProfileOptionBuilder
options = build(build.time_and_memory(min_bytes=0)).with_empty_output().build()
total = tf.compat.v1.profiler.profile(graph, run_meta=metadata, cmd="scope", options=options)
print(json.dumps([
    [event["args"]["op"] for event in events if event["ph"] == "X"],
    total.total_accelerator_exec_micros,
    total.total_cpu_exec_micros,
]))
"""


@pytest.mark.slow
def test_tensorflows_tools_see_the_gpu_in_what_is_exported(sample: Sample, tmp_path: Path) -> None:
    file = tmp_path / "metadata.pb"
    file.write_bytes(run_metadata.of_profile(sample.contents, 0) if sample.is_profile else sample.data)
    ran = [op for op in sample.on_gpu if op.name.endswith("Conv2DBackpropFilter")]
    command = [sys.executable, "-c", TENSORFLOWS_OWN, str(file), ran[0].name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ops, accelerator_us, cpu_us = json.loads(done.stdout.splitlines()[-1])
    assert {op.type for op in ran} <= set(ops)
    assert accelerator_us >= sum(op.duration_ns for op in ran) / 1000 - len(ran)
    assert accelerator_us > 0 and cpu_us > 0
