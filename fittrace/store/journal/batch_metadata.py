"""Metadata: what TensorFlow told of one batch, as it lies in the journal and in the table `sampled_batches`."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from ...schema.journal_format import LARGEST_METADATA, METADATA_HEAD, PROFILE, RUN_METADATA
from ..tensorflow import profile, step_stats
from ..tensorflow.messages import DecodeError, TooMany
from ..tensorflow.ops import Contents
from .allowance import Allowance

FORMATS = {RUN_METADATA: "run_metadata", PROFILE: "profile"}
"""What the column `format` of `sampled_batches` says, by the number in the journal."""
_READERS = {"run_metadata": step_stats.read, "profile": profile.read}


class UnreadableMetadata(ValueError):
    """Bytes that are no metadata, or more than a batch can have."""


@dataclass(frozen=True)
class PackedMetadata:
    """What TensorFlow told of one batch: its `format`, the moments that set its clock right (`schema.journal`), and
    the protobuf, compressed.
    """

    format: str
    moments: tuple[int, int]
    compressed: bytes

    @classmethod
    def of(cls, payload: bytes) -> tuple[int, PackedMetadata]:
        """The number and the metadata in the payload of a `METADATA` block. Raises `struct.error` or `KeyError`."""
        number, form, *moments = METADATA_HEAD.unpack_from(payload)
        return number, cls(FORMATS[form], (moments[0], moments[1]), payload[METADATA_HEAD.size :])

    def data(self, allowance: Allowance | None = None) -> bytes:
        """The protobuf, within the `allowance` of a journal that is read whole. Raises `UnreadableMetadata`."""
        stream = zlib.decompressobj()
        most = LARGEST_METADATA if allowance is None else min(LARGEST_METADATA, allowance.left + 1)
        try:
            data = stream.decompress(self.compressed, most)
            if allowance is not None:
                allowance.spend(len(data))
        except (zlib.error, ValueError) as error:
            raise UnreadableMetadata(str(error)) from None
        if not stream.eof:
            raise UnreadableMetadata("it is larger than metadata can be, or cut off")
        return data

    def contents(self, allowance: Allowance | None = None) -> Contents:
        """The ops, on the process' clock, within the `allowance`. Raises `UnreadableMetadata`."""
        try:
            return _READERS[self.format](self.data(allowance), self.moments)
        except (DecodeError, TooMany) as error:
            raise UnreadableMetadata(str(error)) from None
