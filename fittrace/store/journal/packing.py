"""The numbers of a `PACKED` block: varints, of which the journal's own page says what each means."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...schema.journal_format import ABSENT, HEAD, MOMENT, NOTHING

_STEP = 1 << 15
"""Numbers that are worked on at once."""
_WIDEST = 10
"""Bytes of a varint, at most."""

Numbers = npt.NDArray[np.int64]


def unpacked(data: bytes, most: int) -> Numbers:
    """What is packed in `data`. Raises `ValueError` where it makes no sense, or has more than `most` numbers.

    >>> unpacked(bytes([0b000_00, 0b101_01, 0b1000_10, 0b001_10, 0b000_11, 0b010_00]), most=6).tolist()
    [-1, 5, 4, 3, 4611686018427387903, -3]
    """
    octets = np.frombuffer(data, np.uint8)
    is_end = octets < 0x80
    if np.count_nonzero(is_end) > most:
        raise ValueError("a chunk larger than a chunk can be")
    ends = np.flatnonzero(is_end) + 1
    if len(octets) and (not len(ends) or ends[-1] != len(octets)):
        raise ValueError("a chunk that ends within a number")
    numbers = np.empty(len(ends), np.int64)
    begin, last = 0, np.int64(0)
    for first in range(0, len(ends), _STEP):
        until = ends[first : first + _STEP] - begin
        numbers[first : first + _STEP], last = _step(octets[begin : begin + until[-1]], until, last)
        begin += until[-1]
    return numbers


def _step(octets: npt.NDArray[np.uint8], ends: npt.NDArray[np.intp], last: np.int64) -> tuple[Numbers, np.int64]:
    """The numbers of varints that end there, where `last` is the moment before; and the last moment in them."""
    lengths = np.diff(ends, prepend=0)
    if lengths.max() > _WIDEST:
        raise ValueError("a number wider than a number can be")
    bits = (octets & 0x7F).astype(np.uint64)
    places = ends - lengths
    varints = bits[places]
    which = np.arange(len(ends))
    for place in range(1, lengths.max()):
        which = which[lengths[which] > place]
        varints[which] |= bits[places[which] + place] << np.uint64(7 * place)
    kinds, numbers = varints & 3, (varints >> 2).astype(np.int64)
    numbers ^= -(kinds == HEAD).astype(np.int64)
    numbers[kinds == NOTHING] = ABSENT
    where = np.flatnonzero(kinds == MOMENT)
    steps = numbers[where]
    moments = last + np.cumsum((steps >> 1) ^ -(steps & 1))
    numbers[where] = moments
    return numbers, moments[-1] if len(moments) else last
