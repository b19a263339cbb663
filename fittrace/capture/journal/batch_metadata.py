"""Metadata: the protobufs in which TensorFlow tells what ran in a batch, as they wait for the collector.

Their bytes go into the journal compressed, and are parsed where it is read. What waits has a bound.
"""

from __future__ import annotations

import itertools
import zlib
from collections import deque
from typing import Callable, Iterator, NamedTuple

from ...schema.journal_format import LARGEST_METADATA, METADATA, METADATA_HEAD, block

MOST_WAITING = LARGEST_METADATA
"""Bytes of metadata that may wait to be packed; beyond it, one more is not kept."""


class BatchMetadata(NamedTuple):
    """What TensorFlow told of one batch.

    number: that of the batch, among those that were sampled.
    format: `RUN_METADATA` or `PROFILE`.
    moments: two times that tie its clock to the process' own (`METADATA_HEAD` in `schema.journal_format`).
    data: the bytes of its protobuf.
    """

    number: int
    format: int
    moments: tuple[int, int]
    data: bytes


class MetadataQueue:
    """The metadata of one process on its way into its journal. `note` takes, once or more, what is not kept."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self.begin_again()

    def begin_again(self) -> None:
        """Drop what waits, and number batches from 0, for another journal."""
        self._free = itertools.count()
        self._waiting: deque[BatchMetadata] = deque()

    def new_number(self) -> int:
        """The number of the next batch that is sampled."""
        return next(self._free)

    def put(self, metadata: BatchMetadata) -> None:
        """Queue the metadata of one batch."""
        size = len(metadata.data)
        if size > LARGEST_METADATA:
            message = "no ops of a batch whose RunMetadata has %d MiB: %d MiB are the most that is kept"
            self._note(message % (size >> 20, LARGEST_METADATA >> 20))
        elif size + sum(len(other.data) for other in list(self._waiting)) > MOST_WAITING:
            self._note("no ops of some batches: more were sampled at once than could be packed")
        elif size:
            self._waiting.append(metadata)

    def blocks(self, keep: bool) -> Iterator[bytes]:
        """Take what waits, in blocks. Without `keep` there is no room for it, and a note says so."""
        for _ in range(len(self._waiting)):
            metadata = self._waiting.popleft()
            if keep:
                yield block(METADATA, pack(metadata))
            else:
                self._note("no ops of some batches: the disk could not keep up")


def pack(metadata: BatchMetadata) -> bytes:
    """The payload of a `METADATA` block."""
    head = METADATA_HEAD.pack(metadata.number, metadata.format, *metadata.moments)
    return head + zlib.compress(metadata.data, 1)
