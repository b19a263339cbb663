"""TensorFlow's metadata of one batch, as the journal and the table `sampled_batches` store it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from ...schema.journal_format import LARGEST_METADATA, METADATA_HEAD, MetadataFormat
from ..tensorflow import profile, step_stats
from ..tensorflow.messages import DecodeError, TooMany
from ..tensorflow.ops import Contents
from .allowance import Allowance

FORMATS = {MetadataFormat.RUN_METADATA: "run_metadata", MetadataFormat.PROFILE: "profile"}
"""The column `format` of `sampled_batches`, by the number in the journal."""
_READERS = {"run_metadata": step_stats.read, "profile": profile.read}


class UnreadableMetadata(ValueError):
    """Bytes that are not metadata, or more metadata than a batch can have."""


@dataclass(frozen=True)
class PackedMetadata:
    """TensorFlow's metadata of one batch.

    - `format`: one of the values of `FORMATS`.
    - `moments`: two moments that convert TensorFlow's clock to the process' clock (`schema.journal_format`).
    - `compressed`: the protobuf, compressed with zlib.
    """

    format: str
    moments: tuple[int, int]
    compressed: bytes

    @classmethod
    def of(cls, payload: bytes) -> tuple[int, PackedMetadata]:
        """The number and the metadata in the payload of a `METADATA` block.

        Raises `struct.error` or `KeyError` where the payload is damaged.
        """
        number, form, *moments = METADATA_HEAD.unpack_from(payload)
        return number, cls(FORMATS[form], (moments[0], moments[1]), payload[METADATA_HEAD.size :])

    def data(self, allowance: Allowance | None = None) -> bytes:
        """The protobuf. `allowance` is that of the journal it comes from, if any. Raises `UnreadableMetadata`."""
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
        """The ops, on the process' clock. `allowance` is as for `data`. Raises `UnreadableMetadata`."""
        try:
            return _READERS[self.format](self.data(allowance), self.moments)
        except (DecodeError, TooMany) as error:
            raise UnreadableMetadata(str(error)) from None
