"""How long a batch waited for its data, out of what TensorFlow's profiler told of real batches.

The samples in `waiting` are of a pipeline whose `map` takes 10 ms for an element, four of which make a batch. They were
recorded with Keras 3.15 on TensorFlow 2.21, on two cores. The profiler told all of the op that waits, or only how it
handed the work over.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fittrace.store.tensorflow import profile
from fittrace.store.tensorflow.ops import Contents

SAMPLES = Path(__file__).parent / "waiting"


def contents_of(name: str) -> Contents:
    facts = json.loads((SAMPLES / f"{name}.json").read_text())
    data = gzip.decompress((SAMPLES / f"{name}.pb.gz").read_bytes())
    return profile.read(data, (facts["clock_ns"], facts["reference_ns"]))


@pytest.mark.parametrize("name", ["told-whole", "handed-over-2", "handed-over-7"])
def test_a_batch_waits_until_the_pipeline_has_made_its_data(name: str) -> None:
    contents = contents_of(name)
    (op,) = [op for op in contents.ops if op.waits]
    (root,) = [stage for stage in contents.pipeline if stage.name == "Iterator::Root"]
    assert op.thread is None
    assert op.start_ns <= root.start_ns
    assert op.start_ns + op.duration_ns >= root.start_ns + root.duration_ns
    assert contents.data_wait_ns + contents.compute_ns >= root.duration_ns > 10_000_000
    # Nothing else was at work but the few ops before and after.
    assert contents.compute_ns < 1_000_000 < contents.data_wait_ns
