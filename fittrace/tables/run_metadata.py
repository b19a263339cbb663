"""The `RunMetadata` of sampled batches, as TensorFlow's own tools read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..schema.errors import DamagedTrace, FittraceError
from ..store.journal.batch_metadata import PackedMetadata, UnreadableMetadata
from ..store.tensorflow import run_metadata
from .database import Database, reading, row_tuples
from .sql_literals import literal

_MOST_NAMED = 10
"""Sampled batches that an error message lists."""
_AT_ONCE = 16
"""Batches whose metadata is in memory at once."""


class NotSampled(FittraceError):
    """The batch was not sampled, so there is no `RunMetadata` of it."""


def of_batch(database: Database, batch_key: dict[str, Any]) -> bytes:
    """The protobuf of one batch. `batch_key` has its `fit`, `epoch`, `batch` and `process`, and may have its `run`.

    Raises `NotSampled` if there is no such batch, and `DamagedTrace` if its protobuf cannot be read.
    """
    condition = " AND ".join(f"{name} = {literal(value)}" for name, value in batch_key.items())
    for _, data in _read(database, f"WHERE {condition}"):
        return data
    asked = ", ".join(f"{name} {value}" for name, value in batch_key.items())
    rows = row_tuples(
        database.query(f"SELECT DISTINCT epoch, batch FROM sampled_batches ORDER BY ALL LIMIT {_MOST_NAMED}")
    )
    there = f"sampled are {', '.join(f'{epoch}:{batch}' for epoch, batch in rows)}" if rows else "no batch was"
    raise NotSampled(
        f"{asked}: not sampled; {there}; record again with --run-metadata {batch_key['epoch']}:{batch_key['batch']}"
    )


def of_all(database: Database) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The key of every sampled batch, with its `run`, and its protobuf. Raises `DamagedTrace` as `of_batch` does."""
    yield from _read(database, "ORDER BY run, process, fit, epoch, batch")


def _read(database: Database, which: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    with reading(database.stored("sampled_batches", which), _AT_ONCE) as pieces:
        for facts in (row for piece in pieces for row in piece.to_pylist()):
            batch_key = {name: facts[name] for name in ("run", "process", "fit", "epoch", "batch")}
            metadata = PackedMetadata(facts["format"], (facts["clock_ns"], facts["reference_ns"]), facts["data"])
            try:
                if metadata.format == "profile":
                    yield batch_key, run_metadata.of_profile(metadata.contents(), facts["shift_ns"])
                else:
                    yield batch_key, metadata.data()
            except (UnreadableMetadata, KeyError) as error:
                where = ", ".join(f"{name} {value}" for name, value in batch_key.items())
                raise DamagedTrace(f"{where}: what TensorFlow told is damaged ({error}); record it again") from None


def as_tensorflows_own(data: bytes) -> Any:
    """The `tf.compat.v1.RunMetadata` of the bytes `data`. Raises `FittraceError` where there is no TensorFlow."""
    try:
        import tensorflow as tf
    except ImportError:
        raise FittraceError(
            "run_metadata: no TensorFlow here, whose class it is; install it, or write files without it: "
            "fittrace export TRACE --format run-metadata -o DIR"
        ) from None
    return tf.compat.v1.RunMetadata.FromString(data)
