"""Records what TensorFlow tells of a batch on a GPU, for tests that run where there is none.

Of each engine there is the protobuf of one batch, as TensorFlow gave it, and beside it what is known of the batch from
elsewhere: the clocks that set it right, and when the batch's function ran.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

import fittrace
from fittrace.store.journal.batch_metadata import PackedMetadata

SAMPLES = Path("tests/reading/on_gpu")
ENGINES = {
    "keras-3": ["keras"],
    "keras-3-xla": ["keras", "xla"],
    "tf-keras": ["tf_keras"],
    "tf-keras-v1": ["tf_keras-v1"],
}
"""What the program is told, by the name of the sample."""
BATCH = "0:1"
"""The second: the first has what is done once."""


def main(*names: str) -> None:
    for name in names or ENGINES:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder, name)
            options = ["--quiet", "--out", folder, "--name", name, "--run-metadata", BATCH]
            command = [sys.executable, "-m", "fittrace", "run", *options, str(SAMPLES / "program.py"), *ENGINES[name]]
            subprocess.run(command, check=True)
            told, facts = sample(run)
        (SAMPLES / f"{name}.pb.gz").write_bytes(gzip.compress(told, mtime=0))
        (SAMPLES / f"{name}.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        print(f"{name}: {len(told):,} bytes")


def sample(run: Path) -> tuple[bytes, dict[str, object]]:
    """The protobuf of the one batch that was sampled, and what is known of it."""
    (row,) = (row for file in run.glob("sampled_batches/*/*") for row in pq.ParquetFile(file).read().to_pylist())
    moments = row["clock_ns"], row["reference_ns"]
    trace = fittrace.open(run)
    (span,) = trace.spans().query(f"span == {row['span']}").to_dict("records")
    facts = {
        "format": row["format"],
        "clock_ns": moments[0],
        "reference_ns": moments[1],
        "function_start_ns": span["start_ns"] - row["shift_ns"],
        "function_duration_ns": span["duration_ns"],
        "tensorflow": importlib.metadata.version("tensorflow"),
        "keras": trace.fits().engine_version[0],
    }
    return PackedMetadata(row["format"], moments, row["data"]).data(), facts


if __name__ == "__main__":
    main(*sys.argv[1:])
