"""How many samples a batch has, after what its loop said of its data.

Some engines tell at each turn how many samples the batch has; others only tell before the loop what sizes to expect.
"""

from __future__ import annotations

from typing import Sequence

from .journal_format import ABSENT


def samples_between(first: int, last: int, sizes: Sequence[int]) -> "int | None":
    """The samples in the batches `first` to `last` of a loop; None where `sizes` does not tell.

    `sizes` are the operands of the loop's `sizes` record:

    - the samples in a whole batch;
    - those in a smaller batch at the end; 0: there is none;
    - the batches that the data makes; 0: unknown;
    - the steps that the user asked for instead; absent: none.

    Where steps are asked for, the data repeats, and the position of a smaller batch in it is not known. Of batches
    beyond those that the data makes, nothing is known.

    >>> samples_between(0, 1, (32, 8, 3, ABSENT)), samples_between(2, 2, (32, 8, 3, ABSENT))
    (64, 8)
    >>> samples_between(0, 1, (32, 8, 3, 5)), samples_between(2, 4, (32, 0, 3, 5))
    (None, 96)
    >>> samples_between(3, 4, (32, 8, 3, ABSENT)) is None
    True
    """
    whole, partial, count, steps = sizes
    if ABSENT in (whole, partial, count) or not count:
        return None
    if steps != ABSENT:
        return None if partial else (last - first + 1) * whole
    if first >= count:
        return None
    last = min(last, count - 1)
    shortfall = whole - partial if partial and last == count - 1 else 0
    return (last - first + 1) * whole - shortfall
