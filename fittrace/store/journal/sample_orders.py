"""Orders: in which order an epoch took its samples, as the `ORDER` blocks of a journal have it."""

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
    """An order as stretches: from `position` on, `count` samples that follow each other, the first of them `sample`.

    A sample of -1 says that the order was not kept.
    """

    position: Indices
    sample: Indices
    count: Indices

    @classmethod
    def of(cls, order: Indices) -> SampleRuns:
        """Those of an order of samples.

        >>> SampleRuns.of(np.array([4, 5, 6, 0, 1]))
        SampleRuns(position=array([0, 3]), sample=array([4, 0]), count=array([3, 2]))
        """
        begins = np.flatnonzero(np.diff(order, prepend=order[:1] - 2) != 1)
        return cls(begins, order[begins], np.diff(begins, append=len(order)))

    @classmethod
    def unknown(cls, samples: int) -> SampleRuns:
        """That of an order of so many samples which was not kept."""
        return cls(np.zeros(1, np.int64), np.full(1, -1), np.full(1, samples))


class PackedOrders:
    """The orders of a journal that no record has referred to yet, as they were packed.

    They unpack within the journal's `allowance`.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._packed: dict[int, bytes] = {}
        self._stretches_left = STRETCHES_FREE

    def add(self, payload: bytes) -> int:
        """Take in the payload of an `ORDER` block; how many samples it has.

        Raises `ValueError` or `struct.error` for one that makes no sense.
        """
        number, samples, planes = ORDER_HEAD.unpack_from(payload)
        if planes > 8 or samples > SAMPLES or number in self._packed:
            raise ValueError("an order that is too long, or was there before")
        self._packed[number] = payload
        self._stretches_left += len(payload) * STRETCHES_PER_BYTE
        return int(samples)

    def take(self, number: int, samples: int) -> SampleRuns:
        """The order of that number and length, which no other record refers to."""
        payload = self._packed.pop(number, None)
        if payload is None or ORDER_HEAD.unpack_from(payload)[1] != samples or not samples:
            return SampleRuns.unknown(samples)
        try:
            self._allowance.spend(samples * ORDER_HEAD.unpack_from(payload)[2])
            stretches = SampleRuns.of(unpacked(payload))
        except (ValueError, zlib.error):
            return SampleRuns.unknown(samples)
        if len(stretches.position) > self._stretches_left:
            return SampleRuns.unknown(samples)
        self._stretches_left -= len(stretches.position)
        return stretches


def unpacked(payload: bytes) -> Indices:
    """The order in the payload of an `ORDER` block. Raises `ValueError` or `zlib.error` where it makes no sense.

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
    for place, plane in enumerate(np.frombuffer(data, np.uint8).reshape(planes, samples)):
        order |= plane.astype(np.int64) << (8 * place)
    if order.min() < 0:
        raise ValueError("a sample before the first")
    return order
