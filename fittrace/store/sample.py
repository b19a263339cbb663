"""A sample: what TensorFlow told of one batch, as it lies in the journal and in the table `samples`."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from ..schema.journal import LARGEST_SAMPLE, PROFILE, RUN_METADATA, SAMPLE_HEAD
from . import profile, step_stats
from .messages import DecodeError
from .ops import Contents

FORMATS = {RUN_METADATA: "run_metadata", PROFILE: "profile"}
"""What the column `format` of `samples` says, by the number in the journal."""
_READERS = {"run_metadata": step_stats.read, "profile": profile.read}


class UnreadableSample(ValueError):
    """Bytes of a sample that are none, or more than one can have."""


@dataclass(frozen=True)
class Sample:
    """What TensorFlow told of one batch: its `format`, the moments that set its clock right (`schema.journal`), and
    the protobuf, compressed.
    """

    format: str
    moments: tuple[int, int]
    compressed: bytes

    @classmethod
    def of(cls, payload: bytes) -> tuple[int, Sample]:
        """The sample in the payload of a `SAMPLE` block, and its number. Raises `struct.error` or `KeyError`."""
        number, form, *moments = SAMPLE_HEAD.unpack_from(payload)
        return number, cls(FORMATS[form], (moments[0], moments[1]), payload[SAMPLE_HEAD.size :])

    def data(self) -> bytes:
        """The protobuf. Raises `UnreadableSample`."""
        stream = zlib.decompressobj()
        try:
            data = stream.decompress(self.compressed, LARGEST_SAMPLE)
        except zlib.error as error:
            raise UnreadableSample(str(error)) from None
        if not stream.eof:
            raise UnreadableSample("it is larger than a sample can be, or cut off")
        return data

    def contents(self) -> Contents:
        """The ops, on the process' clock. Raises `UnreadableSample`."""
        try:
            return _READERS[self.format](self.data(), self.moments)
        except DecodeError as error:
            raise UnreadableSample(str(error)) from None
