"""The blocks of a journal: reads them from its file, verifies their checksums and counts what is damaged."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from ...schema.journal_format import HEADER, LARGEST, MAGIC, MARKER
from ...schema.limits import REREAD_FREE, REREAD_RATIO

_PART = 1 << 20
"""How many bytes are read at a time in the search for a marker."""


class Damage:
    """How many bytes of a journal could not be read.

    - `altered`: in blocks that are damaged.
    - `unfinished`: at the end of the journal, in a block that was cut short.
    """

    def __init__(self) -> None:
        self.altered = 0
        self.unfinished = 0


def blocks(file: BinaryIO, damage: Damage) -> Iterator[tuple[int, bytes]]:
    """The whole blocks of an open journal, in order: kind and payload.

    Bytes that cannot be read are skipped and counted in `damage`. Where they are so many that the search would take too
    long, the rest of the file counts as altered.

    >>> import io
    >>> from fittrace.schema.journal_format import BlockKind, block
    >>> journal, damage = io.BytesIO(MAGIC + block(BlockKind.DEFINE, b"{}") + b"junk"), Damage()
    >>> list(blocks(journal, damage)) == [(BlockKind.DEFINE, b"{}")], damage.unfinished
    (True, 4)
    """
    markers = _Markers(file)
    position = len(MAGIC) if file.read(len(MAGIC)) == MAGIC else 0
    if not position:
        damage.altered += len(MAGIC)
    # Bytes of blocks with a wrong checksum. After each of them the search goes on inside the block, so they are read
    # again. A forged journal could nest blocks and make the reader read the same bytes over and over.
    reread = 0
    while True:
        file.seek(position)
        head = file.read(HEADER.size)
        if len(head) < HEADER.size:
            damage.unfinished = len(head)
            return
        marker, kind, length, checksum = HEADER.unpack(head)
        if marker == MARKER and length <= min(LARGEST, _size(file) - position - HEADER.size):
            file.seek(position + HEADER.size)
            payload = file.read(length)
            if zlib.crc32(payload, kind) & 0xFFFFFFFF == checksum and len(payload) == length:
                yield kind, payload
                position += HEADER.size + length
                continue
            reread += length
        following = markers.following(position + 1)
        if following is not None and reread > REREAD_RATIO * _size(file) + REREAD_FREE:
            damage.altered += _size(file) - position
            return
        if following is None:
            rest = _size(file) - position
            damage.unfinished += rest if marker == MARKER else 0
            damage.altered += 0 if marker == MARKER else rest
            return
        damage.altered += following - position
        position = following


def _size(file: BinaryIO) -> int:
    """How many bytes the file has now: a journal may still grow."""
    return file.seek(0, 2)


class _Markers:
    """Finds the markers of a journal. It keeps the part of the file that it read last, since markers stand close."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._begin = 0
        self._part = b""

    def following(self, position: int) -> int | None:
        """The position of the first marker from `position` on; None where there is none."""
        while True:
            if not self._begin <= position < self._begin + len(self._part):
                self._read(position)
            found = self._part.find(MARKER, position - self._begin)
            if found >= 0:
                return self._begin + found
            # A marker may begin in this part and end in the next one.
            position = self._begin + len(self._part) - len(MARKER) + 1
            self._read(position)
            if len(self._part) < len(MARKER):
                return None

    def _read(self, position: int) -> None:
        self._file.seek(position)
        self._begin, self._part = position, self._file.read(_PART)
