"""TensorFlow's `RunMetadata`: a file for each sampled batch."""

from __future__ import annotations

from pathlib import Path

from ..schema.batches_to_sample import SUGGESTED
from ..schema.errors import FittraceError
from ..tables import TraceTables


def write(trace: TraceTables, folder: Path) -> int:
    """Write a protobuf file for each sampled batch into `folder`. Returns the number of files.

    TensorFlow's `Timeline` and `tf.compat.v1.profiler` read them. Raises `FittraceError` if no batch was sampled.
    """
    written = 0
    for name, data in trace.run_metadata_files():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        written += 1
    if not written:
        remedy = f"record with --run-metadata {SUGGESTED}"
        raise FittraceError(f"{trace.path}: no batch was sampled, nothing to write; {remedy}")
    return written
