"""Reading a journal: its facts, its definitions, and the records of its threads, window by window."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ...schema.journal_format import EVENTS_HEAD, LARGEST, BlockKind
from ...schema.limits import BYTES_PER_THREAD, LOST_PLACES, THREADS_FREE
from ...schema.regular_files import open_regular
from .allowance import Allowance
from .batch_metadata import PackedMetadata
from .blocks import BlockReader, Damage
from .definitions import Definition, KnownDefinitions, facts_of
from .packing import unpacked
from .sample_orders import PackedOrders

WINDOW = 2 << 20
"""Numbers in a window, about: 16 MiB of records. The rows of each record take up to 200 bytes."""
LARGEST_WINDOW = 2 * WINDOW
"""Numbers after which a window ends even between chunks that were recorded at the same time."""
LARGEST_PIECE = WINDOW
"""Numbers after which a block is split into pieces."""

_SENSELESS = (ValueError, KeyError, TypeError, RecursionError)
"""The exceptions that reading damaged data raises."""

Records = npt.NDArray[np.int64]


@dataclass
class Chunk:
    """Consecutive records of one thread.

    - `thread`: the number of the thread.
    - `pieces`: the records, in order.
    - `gap`: whether records before these are lost.
    """

    thread: int
    pieces: list[Records] = field(default_factory=list)
    gap: bool = False

    @property
    def records(self) -> Records:
        """The records of all pieces."""
        return np.concatenate(self.pieces) if self.pieces else np.empty(0, np.int64)


class Journal:
    """One process' journal. Reading its windows fills in the attributes.

    - `path`: the file.
    - `facts`: the facts of the process; None where their block is damaged or not read yet.
    - `definitions`: what the journal has defined so far.
    - `allowance`: how many bytes its blocks may still unpack to.
    - `orders`: the orders of samples that no record has named yet.
    - `batch_metadata`: TensorFlow's metadata by number. A derived batch takes its own out.
    - `damage`: the damaged bytes.
    - `position`: bytes read so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: Definition | None = None
        self.definitions = KnownDefinitions()
        self.allowance = Allowance()
        self.orders = PackedOrders(self.allowance)
        self.batch_metadata: dict[int, PackedMetadata] = {}
        self.damage = Damage()
        self.position = 0
        self._blocks = BlockReader(self.damage)
        self._next: dict[int, int] = {}
        self._lost_places = 0

    def windows(self) -> Iterator[list[Chunk]]:
        """The windows of the whole journal, as `new_windows` gives them. Raises `OSError` if it cannot be read."""
        with open_regular(str(self.path)) as file:
            yield from self.new_windows(file)

    def new_windows(self, file: BinaryIO) -> Iterator[list[Chunk]]:
        """The records from where the last call ended, in windows of about `WINDOW` numbers with one chunk per thread.

        Capture writes the records of its threads in rounds, thread by thread. A window ends between two rounds, so that
        it has all threads' records of the same time. The last window ends where the journal ends now.

        - `file`: the open journal, which is the same at every call.
        """
        waiting: dict[int, Chunk] = {}
        size = latest = 0
        for kind, payload in self._blocks.blocks(file):
            self.position = file.tell()
            self.allowance.stored(len(payload))
            try:
                if kind in (BlockKind.EVENTS, BlockKind.PACKED):
                    thread, number = EVENTS_HEAD.unpack_from(payload)
                    lost = self._lost(thread, number)
                    for piece in _pieces(self._records(kind, payload)):
                        over = (size > WINDOW and thread <= latest) or size > LARGEST_WINDOW
                        if over or (lost and thread in waiting):
                            yield list(waiting.values())
                            waiting, size = {}, 0
                        waiting.setdefault(thread, Chunk(thread, gap=lost)).pieces.append(piece)
                        size, latest, lost = size + len(piece), thread, False
                    self._next[thread] = number + 1
                elif kind == BlockKind.ORDER:
                    size += self.orders.add(payload)
                elif kind == BlockKind.METADATA:
                    named, metadata = PackedMetadata.of(payload)
                    self.batch_metadata[named] = metadata
                    size += len(payload) // 8
                else:
                    self._define(kind, payload)
            except (*_SENSELESS, struct.error, zlib.error):
                self.damage.altered += len(payload)
        if waiting:
            yield list(waiting.values())

    def _lost(self, thread: int, number: int) -> bool:
        """Whether chunks of a thread are lost before its chunk of this number.

        Raises `ValueError` for a chunk that comes twice or too late, and where there are too many threads or lost
        chunks.
        """
        if thread not in self._next and len(self._next) >= THREADS_FREE + self.position // BYTES_PER_THREAD:
            raise ValueError("more threads than a journal of this size can have")
        lost = number - self._next.get(thread, 0)
        if lost < 0:
            raise ValueError("a chunk that comes twice, or too late")
        if lost and self._lost_places >= LOST_PLACES:
            raise ValueError("too many lost chunks")
        self._lost_places += lost > 0
        return lost > 0

    def _records(self, kind: int, payload: bytes) -> Records:
        if kind == BlockKind.PACKED:
            return unpacked(payload[EVENTS_HEAD.size :], LARGEST // 8)
        stream = zlib.decompressobj()
        data = stream.decompress(payload[EVENTS_HEAD.size :], min(LARGEST, self.allowance.left + 1))
        if stream.unconsumed_tail or len(data) % 8:
            raise ValueError("a chunk larger than a chunk can be")
        self.allowance.spend(len(data))
        return np.frombuffer(data, "<i8").astype(np.int64, copy=False)

    def _define(self, kind: int, payload: bytes) -> None:
        if kind == BlockKind.FACTS and self.facts is None:
            self.facts = facts_of(json.loads(payload))
        elif kind == BlockKind.DEFINE:
            for line in payload.splitlines():
                try:
                    self.definitions.add(json.loads(line))
                except _SENSELESS:
                    self.damage.altered += len(line)


def _pieces(records: Records) -> Iterator[Records]:
    """Split `records` between records, into pieces of about `LARGEST_PIECE` numbers; at least one."""
    while len(records) > LARGEST_PIECE:
        end = LARGEST_PIECE + int(np.argmax(records[LARGEST_PIECE:] < 0))
        if records[end] >= 0:
            break  # no record begins after it, so the rest is one record
        yield records[:end]
        records = records[end:]
    yield records
