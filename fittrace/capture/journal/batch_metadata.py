"""Batch metadata: TensorFlow's protobufs about sampled batches, in a queue for the collector.

The journal gets their bytes compressed. The reader of the journal parses them. The queue is bounded.
"""

from __future__ import annotations

import itertools
import zlib
from collections import deque
from typing import Callable, Iterator, NamedTuple

from ...schema.journal_format import LARGEST_METADATA, METADATA_HEAD, BlockKind, MetadataFormat, block

MOST_WAITING = LARGEST_METADATA
"""Bytes of metadata in the queue. Metadata that would exceed it is dropped."""


class BatchMetadata(NamedTuple):
    """TensorFlow's metadata of one batch.

    - `number`: the number of the batch among the sampled batches.
    - `format`: what its protobuf is.
    - `moments`: two times that relate its clock to the process' clock (`METADATA_HEAD` in `schema.journal_format`).
    - `data`: the bytes of its protobuf.
    """

    number: int
    format: MetadataFormat
    moments: tuple[int, int]
    data: bytes


class MetadataQueue:
    """The queued metadata of one process. `note` is called with a message whenever metadata is dropped."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self.begin_again()

    def begin_again(self) -> None:
        """Empty the queue, and number batches from 0, for another journal."""
        self._free = itertools.count()
        self._waiting: deque[BatchMetadata] = deque()

    def new_number(self) -> int:
        """The number of the next sampled batch."""
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
        """Empty the queue, and yield its metadata as blocks. `keep`: False if there is no room: all is dropped."""
        for _ in range(len(self._waiting)):
            metadata = self._waiting.popleft()
            if keep:
                yield block(BlockKind.METADATA, pack(metadata))
            else:
                self._note("no ops of some batches: the disk could not keep up")


def pack(metadata: BatchMetadata) -> bytes:
    """The payload of a `METADATA` block."""
    head = METADATA_HEAD.pack(metadata.number, metadata.format, *metadata.moments)
    return head + zlib.compress(metadata.data, 1)
