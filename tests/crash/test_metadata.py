"""What TensorFlow told of batches, on its way through the journal: kept, left out with a word, or damaged alone."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from fittrace.capture.journal import batch_metadata as capturing
from fittrace.capture.journal.batch_metadata import MOST_WAITING, BatchMetadata, MetadataQueue
from fittrace.capture.journal.collector import pack
from fittrace.capture.journal.record_buffer import Buffer
from fittrace.capture.journal.thread_buffers import Thread
from fittrace.schema.journal_format import (
    LARGEST_METADATA,
    MAGIC,
    METADATA_HEAD,
    BlockKind,
    MetadataFormat,
    block,
)
from fittrace.store.conversion import convert
from fittrace.store.journal.blocks import BlockReader, Damage
from fittrace.store.run_files import journals
from fittrace.store.tensorflow.messages import RunMetadata
from fittrace.tables import NotSampled, TraceTables

WALL = 1_760_000_000_000_000_000
SITES: list[dict[str, Any]] = [
    {"kind": "call", "phases": ["fit"], "names": ["fit"], "stage": "train", "root": True, "engine": "keras-2.2"},
    {"kind": "turn", "phases": ["epoch"], "names": ["epoch"], "depth": 1, "counts": "epoch"},
    {"kind": "turn", "phases": ["batch"], "names": ["batch"], "depth": 2, "counts": "batch"},
    {"kind": "open", "phases": ["function"], "names": ["f"], "depth": 3},
    {"kind": "close", "depth": 3},
    {"kind": "sampled"},
    {"kind": "leave"},
    {"kind": "traced"},
]
ABSENT = (1 << 62) - 1


def head(site: int) -> int:
    return -(site + 1)


def records(sampled: list[int | None], traced: int = -1) -> list[int]:
    """A fit of one epoch, with a batch for each of `sampled`, of which a number names the metadata.

    The function of the batch `traced` is traced anew; something else is before and after the function of every batch.
    """
    result, now = [head(0), 100, head(1), 110, 0, 0, ABSENT, ABSENT], 120
    for batch, named in enumerate(sampled):
        result += [head(2), now, batch, batch, ABSENT, ABSENT]
        result += [head(5), named] if named is not None else []
        result += [head(7), head(3), now + 10] + [head(7)] * (batch == traced) + [head(4), now + 60, head(7)]
        now += 100
    return [*result, head(6), now]


def run_metadata(start: int) -> bytes:
    made = RunMetadata()
    plane = made.step_stats.dev_stats.add(device=b"/device:CPU:0")
    plane.node_stats.add(
        node_name=b"dense", timeline_label=b"dense = MatMul()", all_start_nanos=WALL + start, all_end_rel_nanos=20
    )
    return bytes(made.SerializeToString())


def told(number: int, data: bytes, form: MetadataFormat = MetadataFormat.RUN_METADATA) -> bytes:
    # The clock shows 1000 when the wall shows 1000 after `WALL`.
    return block(BlockKind.METADATA, capturing.pack(BatchMetadata(number, form, (1000, WALL + 1000), data)))


def opened(
    folder: Path, sampled: list[int | None], *blocks: bytes, asked: str = "off", traced: int = -1
) -> TraceTables:
    """The trace of a journal with these blocks before its records."""
    facts: dict[str, object] = {
        "pid": 1,
        "parent_pid": 0,
        "rank": None,
        "host": "h",
        "python": "3.7",
        "executable": "p",
        "argv": [],
    }
    facts |= {"time_ns": WALL, "clock_ns": 0, "run_metadata": asked}
    sites = [{"define": "site", "site": number, "file": "k.py"} | site for number, site in enumerate(SITES)]
    data = MAGIC + block(BlockKind.FACTS, json.dumps(facts).encode())
    data += block(BlockKind.DEFINE, "\n".join(map(json.dumps, sites)).encode()) + b"".join(blocks)
    thread = Thread(0, Buffer())
    thread.buffer.extend(records(sampled, traced))
    data += pack(thread, thread.take())
    run = folder / "run"
    (run / "journal").mkdir(parents=True)
    (run / "journal" / f"{WALL}-0-1.journal").write_bytes(data)
    run_json = {"schema": 1, "run": "run", "start_ns": WALL, "end_ns": WALL + 1, "exit_code": 0, "signal": None}
    (run / "run.json").write_text(json.dumps(run_json))
    convert(journals(run), "run", run, running=False)
    return TraceTables.open(run)


def test_metadata_becomes_rows_of_its_own_batch(tmp_path: Path) -> None:
    trace = opened(tmp_path, [None, 0, 1], told(0, run_metadata(240)), told(1, run_metadata(340)), traced=1)
    ops = trace.ops()
    assert ops.batch.tolist() == [1, 2] and ops.start_ns.tolist() == [WALL + 240, WALL + 340]
    spans = trace.spans().set_index("span").loc[ops.span]
    assert spans.phase.tolist() == ["function"] * 2 and spans.batch.tolist() == [1, 2]
    batches = trace.batches()
    assert batches.compute_ns.fillna(-1).tolist() == [-1, 20, 20]
    assert batches.retraced.tolist() == [False, True, False]
    assert dict(trace.run_metadata_files())["fit-0-epoch-0-batch-1.pb"] == run_metadata(240)
    assert trace.notes().empty


@pytest.mark.parametrize(
    "bad",
    [
        told(0, b"no protobuf"),
        block(BlockKind.METADATA, METADATA_HEAD.pack(0, MetadataFormat.PROFILE, 0, 0) + b"no zlib"),
        block(
            BlockKind.METADATA,
            METADATA_HEAD.pack(0, MetadataFormat.RUN_METADATA, 0, 0) + zlib.compress(bytes(LARGEST_METADATA + 1)),
        ),
    ],
    ids=["no protobuf", "no zlib", "a bomb"],
)
def test_damaged_metadata_harms_no_other(tmp_path: Path, bad: bytes) -> None:
    trace = opened(tmp_path, [0, 1], bad, told(1, run_metadata(240)))
    assert trace.ops().batch.tolist() == [1]
    assert len(trace.batches()) == 2
    assert trace.notes().message.tolist() == ["no ops of 1 batches: TensorFlow's metadata of them is damaged"]


@pytest.mark.parametrize(
    "bad",
    [
        block(BlockKind.METADATA, b"short"),
        block(BlockKind.METADATA, METADATA_HEAD.pack(0, 77, 0, 0)),
        told(0, run_metadata(140))[:-9],
    ],
)
def test_a_block_that_is_no_metadata_is_damage(tmp_path: Path, bad: bytes) -> None:
    trace = opened(tmp_path, [0, 1], bad, told(1, run_metadata(240)))
    assert trace.ops().batch.tolist() == [1]
    assert trace.notes().kind.tolist() == ["damaged"]


def test_what_was_asked_for_and_never_came_is_named(tmp_path: Path) -> None:
    trace = opened(tmp_path, [0], told(0, run_metadata(140)), asked="first=3,0:0,0:7,4:1-9")
    (message,) = trace.notes().message
    assert "0:7, 4:1-9 that" in message


def test_a_batch_that_was_not_sampled_is_named_with_those_that_were(tmp_path: Path) -> None:
    trace = opened(tmp_path, [0, None], told(0, run_metadata(140)))
    with pytest.raises(NotSampled, match=r"^fit 0, epoch 0, batch 1, process 0: not sampled; sampled are 0:0; "):
        trace.run_metadata(0, 0, 1)


def packed(queue: MetadataQueue, keep: bool = True) -> list[int]:
    """The numbers of what the queue gives."""
    found = list(BlockReader(Damage()).blocks(io.BytesIO(MAGIC + b"".join(queue.blocks(keep)))))
    assert {kind for kind, _ in found} <= {BlockKind.METADATA}
    return [METADATA_HEAD.unpack_from(payload)[0] for _, payload in found]


@pytest.mark.parametrize(
    ("data", "keep", "told"),
    [
        (bytes(LARGEST_METADATA + 1), True, ["has 64 MiB"]),
        (b"data", False, ["could not keep up"]),
        (b"", True, []),
        (b"data", True, []),
    ],
)
def test_metadata_is_kept_or_there_is_a_word(data: bytes, keep: bool, told: list[str]) -> None:
    notes: list[str] = []
    queue = MetadataQueue(notes.append)
    queue.put(BatchMetadata(5, MetadataFormat.PROFILE, (1, 2), data))
    assert packed(queue, keep) == ([5] if data and not told else [])
    assert [word in note for word, note in zip(told, notes, strict=True)] == [True] * len(told)
    assert packed(queue, keep) == []


def test_so_much_may_wait_and_no_more() -> None:
    notes: list[str] = []
    queue = MetadataQueue(notes.append)
    for number, size in enumerate([MOST_WAITING - 10, 11, 10]):
        queue.put(BatchMetadata(number, MetadataFormat.PROFILE, (1, 2), bytes(size)))
    assert packed(queue) == [0, 2]
    assert notes == ["no ops of some batches: more were sampled at once than could be packed"]
    queue.put(BatchMetadata(3, MetadataFormat.PROFILE, (1, 2), b"data"))
    assert packed(queue) == [3]


def test_the_head_of_metadata_is_as_it_is_written() -> None:
    payload = capturing.pack(BatchMetadata(3, MetadataFormat.PROFILE, (-1, 1 << 60), b"x"))
    assert struct.unpack_from("<QBqq", payload) == (3, MetadataFormat.PROFILE, -1, 1 << 60)
