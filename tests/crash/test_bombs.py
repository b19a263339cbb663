"""Journals that are small and made to take all memory or all time: they open within the bound that is stated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from array import array
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fittrace.capture.journal.sample_orders import MOST_SAMPLES
from fittrace.schema import limits
from fittrace.schema import run_facts as schema_run
from fittrace.schema.journal_format import (
    ABSENT,
    EVENTS_HEAD,
    HEADER,
    LARGEST_METADATA,
    MAGIC,
    MARKER,
    METADATA_HEAD,
    ORDER_HEAD,
    BlockKind,
    MetadataFormat,
    block,
)
from fittrace.store.tensorflow.messages import RunMetadata, TooMany, bounded

from .streams import FACTS_OF, define

OPENING = Path(__file__).parent / "programs" / "opening.py"
LONGEST_S = 600
"""Far above what a bomb takes, on a machine that does much else; without the limits each takes hours."""


def site(number: int = 0, kind: str = "leave", *phases: str, depth: int = 0, **facts: Any) -> bytes:
    told = {"site": number, "kind": kind, "phases": phases, "names": phases, "depth": depth, "file": "f.py"}
    return define({"define": "site", "function": "f", "line": 1, "engine": "e", **told, **facts})


FIT = site(0, "call", "fit", stage="train", root=True)
HELPER = site(0, "call", "prepare")
LEAVE = site(1)
BATCHES = (
    FIT
    + site(1, "turn", "epoch", depth=1, counts="epoch")
    + site(2, "turn", "batch", depth=2, counts="batch")
    + site(4)
)
ONE_CALL = bytes([0b000_00, 0b001_10, 0b001_00, 0b000_10])
"""A call, the moment, its end, the same moment: four records of a byte each."""


def packed(octets: bytes, thread: int = 0, number: int = 0) -> bytes:
    return block(BlockKind.PACKED, EVENTS_HEAD.pack(thread, number) + octets)


def events(*numbers: int, thread: int = 0, number: int = 0) -> bytes:
    data = zlib.compress(array("q", numbers).tobytes())
    return block(BlockKind.EVENTS, EVENTS_HEAD.pack(thread, number) + data)


def inflating(thread: int) -> bytes:
    return block(BlockKind.EVENTS, EVENTS_HEAD.pack(thread, 0) + zlib.compress(bytes(60 << 20), 9))


def sampled(form: MetadataFormat, data: bytes) -> bytes:
    """A fit of two batches, the first of which names this metadata."""
    metadata = block(BlockKind.METADATA, METADATA_HEAD.pack(0, form, 0, 0) + zlib.compress(data, 9))
    begun = [-1, 100, -2, 110, 0, 0, ABSENT, ABSENT]
    batches = [-3, 120, 0, 0, ABSENT, ABSENT, -4, 0, -3, 130, 1, 1, ABSENT, ABSENT]
    return BATCHES + site(3, "sampled") + metadata + events(*begun, *batches, -5, 140)


def field(number: int, data: bytes) -> bytes:
    """A field of a protobuf that holds these bytes."""
    length, octets = len(data), []
    while length > 0x7F:
        octets.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *octets, length]) + data


def nested_headers(size: int) -> bytes:
    headers = range(0, size - HEADER.size, HEADER.size)
    return b"".join(HEADER.pack(MARKER, BlockKind.EVENTS, size - at - HEADER.size, 0) for at in headers) + bytes(
        HEADER.size
    )


def ordered(samples: int) -> bytes:
    """An order in which every stretch has one sample, and which is packed into next to nothing."""
    order = block(BlockKind.ORDER, ORDER_HEAD.pack(0, samples, 1) + zlib.compress(b"\x02\x01" * (samples // 2), 9))
    begun = [-1, 100, -2, 110, 0, 0, ABSENT, ABSENT, -4, 0, samples]
    return BATCHES + site(3, "order") + order + events(*begun, -3, 120, 0, 0, ABSENT, ABSENT, -5, 140)


def labelled(label: bytes) -> bytes:
    made = RunMetadata()
    made.step_stats.dev_stats.add(device=b"/device:CPU:0").node_stats.add(node_name=b"x", timeline_label=label)
    return bytes(made.SerializeToString())


MANY = 32 << 20
BOMBS = {
    "nested headers": lambda: nested_headers(2 << 20),
    "markers": lambda: MARKER * (1 << 18),
    "threads that inflate": lambda: FIT + b"".join(map(inflating, range(8))),
    "many threads": lambda: FIT + LEAVE + b"".join(packed(ONE_CALL, thread) for thread in range(4000)),
    "many gaps": lambda: FIT + site(1 << 17) + b"".join(packed(ONE_CALL[:2], 0, 2 * at + 1) for at in range(4000)),
    "records that make no sense": lambda: FIT + packed(bytes([0b000_00, 0b001_10, 0b100_00]) * 100_000),
    "many fits": lambda: FIT + LEAVE + packed(ONE_CALL * 60_000),
    "fits without end": lambda: FIT + packed(ONE_CALL[:2] * 2_000_000),
    "a hook without end": lambda: FIT + site(1, "hooks", "hooks", hook="on_train_begin") + site(2, "step")
    + packed(bytes([0b000_00, 0b001_10, 0b001_00, 0b001_10, 0b001_01, 0b001_01]))
    + b"".join(packed(bytes([0b010_00]) * (4 << 20), 0, at) for at in range(1, 4)),
    "deep frames": lambda: HELPER + LEAVE + packed((ONE_CALL[:2] * 4000 + ONE_CALL[2:] * 4000) * 30),
    "deep spans": lambda: HELPER + b"".join(site(at, "open", "batch", "slice", depth=at) for at in range(1, 64))
    + events(*(number for at in range(120_000) for number in (-(at % 63) - 1, 7))),
    "orders": lambda: ordered((1 << 20) - 2),
    "events of nothing": lambda: sampled(MetadataFormat.PROFILE, field(4, b"") * MANY),
    "nodes of nothing": lambda: sampled(MetadataFormat.RUN_METADATA, field(1, field(1, field(2, b"") * (MANY - 64)))),
    "a label to search": lambda: sampled(MetadataFormat.RUN_METADATA, labelled(b"[" + b"] " * 100_000)),
    "lists of nothing": lambda: block(BlockKind.DEFINE, b"[" + b"[]," * (2 << 20) + b"[]]") + FIT,
    "many keys": lambda: FIT + site(1, "turn", "batch", depth=1, counts="batch") + site(2, "state") + LEAVE
    + define(*({"define": "keys", "keys": at, "names": [f"key {at}"], "kinds": "i"} for at in range(6000)))
    + site(3, "hooks", "hooks", hook="on_train_batch_end", counts="batch") + site(4)
    + events(-1, 1, *(number for at in range(6000)
                      for number in (-2, 2, at, at, ABSENT, ABSENT, -4, 3, 7, at, -3, at, 1, -5, 4))),
}  # fmt: skip


def opened(folder: Path, journal: bytes) -> dict[str, Any]:
    """What opening a run with this journal told and took, in a process of its own."""
    (folder / "run" / "journal").mkdir(parents=True)
    schema_run.new(str(folder / "run"), "run", ["x"], "python", "0")
    (folder / "run" / "journal" / "1700000000000000000-5-11.journal").write_bytes(journal)
    done = subprocess.run(
        [sys.executable, str(OPENING), str(folder / "run")],
        capture_output=True, encoding="utf-8", timeout=LONGEST_S, check=True, env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.slow
@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_opens_within_the_bound(tmp_path: Path, what: str) -> None:
    journal = MAGIC + block(BlockKind.FACTS, json.dumps(FACTS_OF).encode()) + BOMBS[what]()
    told = opened(tmp_path, journal)
    assert told["bytes"] < limits.MEMORY_RATIO * len(journal) + limits.MEMORY_FREE
    assert told["rows"]["processes"] == 1


def test_what_the_recorder_writes_is_within_the_limits() -> None:
    assert limits.SAMPLES == MOST_SAMPLES
    # 32 bytes are less than TensorFlow takes for an event with its name, moments and arguments.
    assert limits.MESSAGES * 32 == LARGEST_METADATA


def test_messages_are_counted_before_they_are_parsed() -> None:
    random = Random(1)
    made = RunMetadata()
    plane = made.step_stats.dev_stats.add(device=b"/device:CPU:0")
    while made.ByteSize() < 3 * limits.MESSAGES:
        node = plane.node_stats.add(node_name=random.randbytes(20_000), all_start_nanos=random.getrandbits(60))
        node.memory.add(total_bytes=-1)
    data = made.SerializeToString()
    assert bounded("RunMetadata", data) is data
    with pytest.raises(TooMany):
        bounded("RunMetadata", field(1, field(1, field(2, b"") * (2 * limits.MESSAGES))))
