"""The journal: what capture appends while the program trains, block by block.

A journal is a file that only grows, one per traced process. It begins with `MAGIC`. Then come blocks, each a header
(`marker, kind, length, crc32` of kind and payload) and its payload. A block that was cut short or altered fails its
checksum. The reader skips it and goes on at the next marker (`store/journal/blocks.py`).

`BlockKind` says what a payload holds.

A record is a head, `-(site + 1)`, then its operands, which are never negative. So heads can be told from operands
without walking. `record_kinds` says which operands each kind of site has. No block holds a part of a record.

Capture writes this inside the traced interpreter and the store reads it, so it keeps to Python 3.7 and the standard
library.
"""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum

MAGIC = b"fittrace journal 1\n"
MARKER = b"\xf7\x01FT"
HEADER = struct.Struct("<4sBII")
EVENTS_HEAD = struct.Struct("<IQ")
ORDER_HEAD = struct.Struct("<QQB")
METADATA_HEAD = struct.Struct("<QBqq")
"""Its number, its format (a `MetadataFormat`), and two moments that relate its clock to the process'."""


class BlockKind(IntEnum):
    """What the payload of a block holds."""

    # One JSON object about the process. The first block.
    FACTS = 1
    # JSON lines, each an object with a `define` key: a `site`, `thread`, `text`, `keys`, `class`, `function`, `source`,
    # `engine`, `note`, `dropped` or `closed`. A definition stands before the first event that refers to it.
    DEFINE = 2
    # `EVENTS_HEAD` (thread number, running number of the chunk in its thread), then a zlib stream of little-endian
    # int64: the thread's records one after the other.
    EVENTS = 3
    # `ORDER_HEAD` (its number, how many samples it has, how many bytes are kept of each), then a zlib stream: the
    # lowest byte of every sample's index, in the order in which an epoch takes them, then the next byte of every index,
    # and so on. If no byte is kept, the samples are in order. The block stands before the record that refers to it.
    ORDER = 4
    # `METADATA_HEAD`, then a zlib stream of the protobuf that TensorFlow gave for one batch. The block stands before
    # the `sampled` record that refers to it. The protobuf is parsed only when the journal is read.
    METADATA = 5
    # `EVENTS_HEAD`, then the same numbers as in `EVENTS`, as varints of base 128, the lowest bits first (LEB128, as in
    # WebAssembly and protobuf). The two lowest bits of a varint are a `VarintKind`.
    PACKED = 6


class VarintKind(IntEnum):
    """What a varint of a `PACKED` block holds above its two lowest bits. `native/packing.c` has the same numbers."""

    HEAD = 0  # The site of a head.
    NUMBER = 1  # The number itself.
    MOMENT = (
        2  # The difference from the last moment in this block, or from 0, with the sign in the lowest bit (zigzag).
    )
    NOTHING = 3  # Nothing: the number is absent.


class MetadataFormat(IntEnum):
    """What the protobuf of a `METADATA` block is, and what its times and its two moments are."""

    # A `tensorflow.RunMetadata`. Its times are the wall clock's. The moments are the process' clock and the wall clock,
    # read at one time.
    RUN_METADATA = 1
    # A `tensorflow.profiler.Trace`. Its times count from the begin of its session. The moments are the process' clock
    # at that begin, roughly, and at the event called `ANCHOR`, exactly.
    PROFILE = 2


ANCHOR = "fittrace"
LARGEST_METADATA = 1 << 26
"""Bytes of a batch's protobuf, at most; a larger one is not kept."""
LARGEST = 1 << 28
"""Bytes of a block, at most; a greater length is damage."""

ABSENT = (1 << 62) - 1
"""Stands for an absent number."""
WHOLE = 1 << 53
"""Every whole number below it is a float64 too."""


def block(kind: int, payload: bytes) -> bytes:
    """One block, ready to be appended."""
    checksum = zlib.crc32(payload, kind) & 0xFFFFFFFF
    return HEADER.pack(MARKER, kind, len(payload), checksum) + payload
