"""The choice of batches that are sent as spans. A training may have thousands in a second, or one in a minute."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .fibonacci_hashing import fibonacci_hash


class SentBatches(NamedTuple):
    """The batches that are sent: a ratio of all, or a number in each second.

    A batch is chosen by the time at which it begins. So a live process and a later export choose the same batches, and
    all workers of a training those of the same times.

    - `ratio`: the ratio of batches, from 0 to 1; ignored with a `period_ns`.
    - `period_ns`: the first batch that begins in each such period of Unix time is sent, in each thread; 0 for none.
    """

    ratio: float = 1.0
    period_ns: int = 0

    @classmethod
    def of(cls, text: Any) -> "SentBatches":
        """The choice in a text: a ratio, or a number of batches in a second. Raises `ValueError` if it is neither.

        >>> SentBatches.of("0.5"), SentBatches.of("10/s")
        (SentBatches(ratio=0.5, period_ns=0), SentBatches(ratio=0.0, period_ns=100000000))
        """
        number, slash, unit = str(text).partition("/")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not slash and 0 <= value <= 1:
            return cls(value)
        if slash and unit == "s" and 1e-6 <= value <= 1e6:
            return cls(0.0, round(1e9 / value))
        raise ValueError("%s: give a ratio of the batches, from 0 to 1, or how many in a second, as in 10/s" % text)

    def __str__(self) -> str:
        """The choice as text, from which `of` makes an equal one.

        >>> print(SentBatches.of("0.5"), SentBatches.of("10/s"))
        0.5 10/s
        >>> SentBatches.of(str(SentBatches.of("123.4567/s"))) == SentBatches.of("123.4567/s")
        True
        """
        return "%.15g/s" % (1e9 / self.period_ns) if self.period_ns else "%r" % self.ratio

    @property
    def limit(self) -> int:
        """The moments whose hash is below it are those that a ratio takes."""
        return math.ceil(self.ratio * (1 << 64))

    def takes(self, start_ns: int, due_ns: int) -> bool:
        """Whether a batch is sent.

        - `start_ns`: when it begins, in Unix nanoseconds.
        - `due_ns`: what `due` returned for the last batch that was sent in its thread; 0 if there was none.

        >>> sum(SentBatches(0.25).takes(1_760_000_000_000_000_000 + 600_000 * batch, 0) for batch in range(1000))
        251
        """
        if self.period_ns:
            return start_ns >= due_ns
        return fibonacci_hash(start_ns) < self.limit

    def due(self, start_ns: int) -> int:
        """The time from which the next batch of a thread is sent, after one that began at `start_ns`; 0 with a ratio.

        >>> SentBatches.of("1/s").due(1_760_000_000_600_000_000)
        1760000001000000000
        """
        return (start_ns // self.period_ns + 1) * self.period_ns if self.period_ns else 0


ALL = SentBatches()
"""All batches."""
NONE = SentBatches(0.0)
"""No batch."""
DEFAULT = SentBatches.of("1/s")
"""The choice of a program that does not make one."""
