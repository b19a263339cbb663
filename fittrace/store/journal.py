"""Reading a journal: its facts, its definitions so far, and the records of its threads, window by window."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..schema.journal import DEFINE, EVENTS, EVENTS_HEAD, FACTS, LARGEST, METADATA, ORDER, PACKED, Damage, blocks
from ..schema.regular import open_regular
from .definitions import Definition, Definitions, facts_of
from .metadata import Metadata
from .orders import Orders
from .packing import unpacked

WINDOW = 8 << 20
"""Numbers that are worked on at once: 64 MiB of records."""

_SENSELESS = (ValueError, KeyError, TypeError, RecursionError)
"""What reading something raises that is not what it should be."""

Records = npt.NDArray[np.int64]


@dataclass
class Chunk:
    """Records of one thread, one chunk after the other; `gap`: chunks before these are lost."""

    thread: int
    pieces: list[Records] = field(default_factory=list)
    gap: bool = False

    @property
    def records(self) -> Records:
        """The records of all pieces."""
        return np.concatenate(self.pieces) if self.pieces else np.empty(0, np.int64)


class Journal:
    """One process' journal, open for reading from its beginning.

    `facts` are None where the block that tells them is damaged. Raises `OSError` where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: Definition | None = None
        self.definitions = Definitions()
        self.orders = Orders()
        self.metadata: dict[int, Metadata] = {}
        """What was told of batches, by number; whoever derives the batches takes it away."""
        self.damage = Damage()
        self.position = 0
        """Bytes read so far."""
        self._next: dict[int, int] = {}

    def windows(self) -> Iterator[list[Chunk]]:
        """The threads' records in windows of about `WINDOW` numbers; in each, one chunk per thread.

        A window ends where capture began to go through its threads anew: it holds what they did at the same time.
        """
        waiting: dict[int, Chunk] = {}
        size = latest = 0
        with open_regular(str(self.path)) as file:
            for kind, payload in blocks(file, self.damage):
                self.position = file.tell()
                try:
                    if kind in (EVENTS, PACKED):
                        thread, number = EVENTS_HEAD.unpack_from(payload)
                        records = self._records(kind, payload)
                        lost = number - self._next.get(thread, 0)
                        if lost < 0:
                            raise ValueError("a chunk that was there before, or comes too late")
                        if (size > WINDOW and thread <= latest) or (lost and thread in waiting):
                            yield list(waiting.values())
                            waiting, size = {}, 0
                        waiting.setdefault(thread, Chunk(thread, gap=lost > 0)).pieces.append(records)
                        size, latest = size + len(records), thread
                        self._next[thread] = number + 1
                    elif kind == ORDER:
                        size += self.orders.add(payload)
                    elif kind == METADATA:
                        named, metadata = Metadata.of(payload)
                        self.metadata[named] = metadata
                        size += len(payload) // 8
                    else:
                        self._define(kind, payload)
                except (*_SENSELESS, struct.error, zlib.error):
                    self.damage.altered += len(payload)
        if waiting:
            yield list(waiting.values())

    def _records(self, kind: int, payload: bytes) -> Records:
        if kind == PACKED:
            return unpacked(payload[EVENTS_HEAD.size :], LARGEST // 8)
        stream = zlib.decompressobj()
        data = stream.decompress(payload[EVENTS_HEAD.size :], LARGEST)
        if stream.unconsumed_tail or len(data) % 8:
            raise ValueError("a chunk larger than a chunk can be")
        return np.frombuffer(data, "<i8").astype(np.int64)

    def _define(self, kind: int, payload: bytes) -> None:
        if kind == FACTS and self.facts is None:
            self.facts = facts_of(json.loads(payload))
        elif kind == DEFINE:
            for line in payload.splitlines():
                try:
                    self.definitions.add(json.loads(line))
                except _SENSELESS:
                    self.damage.altered += len(line)
