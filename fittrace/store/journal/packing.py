"""Unpacking the varints of a `PACKED` block, whose format `schema.journal_format` describes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...schema.journal_format import ABSENT, VarintKind

_STEP = 1 << 15
"""How many numbers are unpacked at once, which bounds the memory for it."""
_WIDEST = 10
"""The most bytes of a varint."""
# Plain integers: NumPy compares an array of uint64 with a member of an enumeration as floats, which is slow.
_HEAD, _, _MOMENT, _NOTHING = map(int, VarintKind)

Numbers = npt.NDArray[np.int64]


def unpacked(data: bytes, most: int) -> Numbers:
    """The numbers packed in `data`. Raises `ValueError` where they make no sense or are more than `most`.

    >>> unpacked(bytes([0b000_00, 0b101_01, 0b1000_10, 0b001_10, 0b000_11, 0b010_00]), most=6).tolist()
    [-1, 5, 4, 3, 4611686018427387903, -3]
    """
    octets = np.frombuffer(data, np.uint8)
    is_end = octets < 0x80  # the last byte of a varint has no high bit
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
    """Unpack the varints in `octets`. Returns their numbers, and the last moment among them.

    - `ends`: the index after each varint.
    - `last`: the last moment before them, since a moment is stored as the difference to the one before.
    """
    lengths = np.diff(ends, prepend=0)
    if lengths.max() > _WIDEST:
        raise ValueError("a number wider than a number can be")
    bits = (octets & 0x7F).astype(np.uint64)
    begins = ends - lengths
    varints = bits[begins]
    longer = np.arange(len(ends))
    # Byte by byte: `longer` are the varints that have this many bytes, fewer at each pass.
    for nth in range(1, lengths.max()):
        longer = longer[lengths[longer] > nth]
        varints[longer] |= bits[begins[longer] + nth] << np.uint64(7 * nth)
    # The two low bits say what the number is.
    kinds, numbers = varints & 3, (varints >> 2).astype(np.int64)
    numbers ^= -(kinds == _HEAD).astype(np.int64)  # all bits flipped: site n has the head -n - 1
    numbers[kinds == _NOTHING] = ABSENT
    is_moment = np.flatnonzero(kinds == _MOMENT)
    steps = numbers[is_moment]
    moments = last + np.cumsum((steps >> 1) ^ -(steps & 1))  # zigzag: the lowest bit is the sign
    numbers[is_moment] = moments
    return numbers, moments[-1] if len(moments) else last
