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


class BlockReader:
    """Reads the whole blocks of a journal, in order. It can go on later, when the journal has grown.

    - `damage`: counts the bytes that cannot be read.
    """

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self._position = 0
        # Bytes of blocks with a wrong checksum. After each of them the search goes on inside the block, so they are
        # read again. A forged journal could nest blocks and make the reader read the same bytes over and over.
        self._reread = 0
        # Bytes at the end that count as altered. They are looked at again when the journal has grown.
        self._altered_end = 0

    def blocks(self, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
        """The blocks from where the last call ended: kind and payload.

        Bytes that cannot be read are skipped and counted. Where they are so many that the search would take too long,
        the rest of the file counts as altered.

        - `file`: the open journal, which is the same at every call.

        >>> import io
        >>> from fittrace.schema.journal_format import BlockKind, block
        >>> journal, damage = io.BytesIO(MAGIC + block(BlockKind.DEFINE, b"{}") + b"junk"), Damage()
        >>> list(BlockReader(damage).blocks(journal)) == [(BlockKind.DEFINE, b"{}")], damage.unfinished
        (True, 4)
        """
        self._damage.altered -= self._altered_end
        self._damage.unfinished = self._altered_end = 0
        if not self._position:
            self._skip_magic(file)
        markers = _Markers(file)
        while True:
            file.seek(self._position)
            head = file.read(HEADER.size)
            if len(head) < HEADER.size:
                self._damage.unfinished = len(head)
                return
            marker, kind, length, checksum = HEADER.unpack(head)
            if marker == MARKER and length <= min(LARGEST, _size(file) - self._position - HEADER.size):
                file.seek(self._position + HEADER.size)
                payload = file.read(length)
                if zlib.crc32(payload, kind) & 0xFFFFFFFF == checksum and len(payload) == length:
                    self._position += HEADER.size + length
                    yield kind, payload
                    continue
                self._reread += length
            following = markers.following(self._position + 1)
            if following is not None and self._reread > REREAD_RATIO * _size(file) + REREAD_FREE:
                self._end_altered(file)
                return
            if following is None:
                if marker == MARKER:
                    self._damage.unfinished += _size(file) - self._position
                else:
                    self._end_altered(file)
                return
            self._damage.altered += following - self._position
            self._position = following

    def _skip_magic(self, file: BinaryIO) -> None:
        file.seek(0)
        if file.read(len(MAGIC)) == MAGIC:
            self._position = len(MAGIC)
        else:
            self._damage.altered += len(MAGIC)

    def _end_altered(self, file: BinaryIO) -> None:
        self._altered_end = _size(file) - self._position
        self._damage.altered += self._altered_end


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
