"""The order in which an epoch takes its samples, from the `ORDER` blocks of a journal."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...schema.journal_format import ORDER_HEAD
from ...schema.limits import SAMPLES, STRETCHES_FREE, STRETCHES_PER_BYTE
from .allowance import Allowance

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SampleRuns:
    """An order of samples, as runs of consecutive ones.

    - `position`: the position in the epoch of each run's first sample.
    - `sample`: the index in the data set of each run's first sample; -1: the order was not kept.
    - `count`: the number of samples in each run.
    """

    position: Indices
    sample: Indices
    count: Indices

    @classmethod
    def of(cls, order: Indices) -> SampleRuns:
        """The runs in an order of samples.

        >>> SampleRuns.of(np.array([4, 5, 6, 0, 1]))
        SampleRuns(position=array([0, 3]), sample=array([4, 0]), count=array([3, 2]))
        """
        begins = np.flatnonzero(np.diff(order, prepend=order[:1] - 2) != 1)
        return cls(begins, order[begins], np.diff(begins, append=len(order)))

    @classmethod
    def unknown(cls, samples: int) -> SampleRuns:
        """The one run of an order that was not kept, of `samples` samples."""
        return cls(np.zeros(1, np.int64), np.full(1, -1), np.full(1, samples))


class PackedOrders:
    """The orders of a journal that no record has named yet, packed as in the journal.

    `allowance` is how many bytes they may unpack to.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._packed: dict[int, bytes] = {}
        self._runs_left = STRETCHES_FREE

    def add(self, payload: bytes) -> int:
        """Add the payload of an `ORDER` block. Returns its number of samples.

        Raises `ValueError` or `struct.error` for a payload that makes no sense.
        """
        number, samples, planes = ORDER_HEAD.unpack_from(payload)
        if planes > 8 or samples > SAMPLES or number in self._packed:
            raise ValueError("an order that is too long, or comes twice")
        self._packed[number] = payload
        self._runs_left += len(payload) * STRETCHES_PER_BYTE
        return int(samples)

    def take(self, number: int, samples: int) -> SampleRuns:
        """Remove an order and return it, as unknown if it is lost or damaged.

        - `number`: the number of the order.
        - `samples`: how many samples it should have.
        """
        payload = self._packed.pop(number, None)
        if payload is None or ORDER_HEAD.unpack_from(payload)[1] != samples or not samples:
            return SampleRuns.unknown(samples)
        try:
            self._allowance.spend(samples * ORDER_HEAD.unpack_from(payload)[2])
            runs = SampleRuns.of(unpacked(payload))
        except (ValueError, zlib.error):
            return SampleRuns.unknown(samples)
        if len(runs.position) > self._runs_left:
            return SampleRuns.unknown(samples)
        self._runs_left -= len(runs.position)
        return runs


def unpacked(payload: bytes) -> Indices:
    """The order in the payload of an `ORDER` block. Raises `ValueError` or `zlib.error` where it is damaged.

    The payload holds the samples in planes: first the lowest byte of each, then the next one, and so on. Without planes
    the samples are in their own order.

    >>> unpacked(ORDER_HEAD.pack(0, 3, 1) + zlib.compress(bytes([2, 0, 1])))
    array([2, 0, 1])
    >>> unpacked(ORDER_HEAD.pack(0, 3, 0) + zlib.compress(b""))
    array([0, 1, 2])
    """
    _, samples, planes = ORDER_HEAD.unpack_from(payload)
    stream = zlib.decompressobj()
    data = stream.decompress(payload[ORDER_HEAD.size :], samples * planes or 1)
    if len(data) != samples * planes or stream.unconsumed_tail:
        raise ValueError("an order of another length")
    if not planes:
        return np.arange(samples)
    order = np.zeros(samples, np.int64)
    for nth, plane in enumerate(np.frombuffer(data, np.uint8).reshape(planes, samples)):
        order |= plane.astype(np.int64) << (8 * nth)
    if order.min() < 0:
        raise ValueError("a negative sample")
    return order
