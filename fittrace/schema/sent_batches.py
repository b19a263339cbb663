"""Which batches are sent as spans, of a training that may have thousands in a second, or one in a minute."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .scattered_choice import scattered


class SentBatches(NamedTuple):
    """Of all batches a `ratio`; or the first that begins in each `period_ns` of Unix time in a thread, unless it is 0.

    A batch is chosen by the moment when it begins. So both sides choose the same, and all workers of a training those
    of the same moments; no random number is taken from the program.
    """

    ratio: float = 1.0
    period_ns: int = 0

    @classmethod
    def of(cls, text: Any) -> "SentBatches":
        """What a text says: a ratio, or a number of batches in a second. Raises `ValueError` where it is neither.

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
        """The text that says so, and from which the same is made again.

        >>> print(SentBatches.of("0.5"), SentBatches.of("10/s"))
        0.5 10/s
        >>> SentBatches.of(str(SentBatches.of("123.4567/s"))) == SentBatches.of("123.4567/s")
        True
        """
        return "%.15g/s" % (1e9 / self.period_ns) if self.period_ns else "%r" % self.ratio

    @property
    def limit(self) -> int:
        """Below it are the scattered moments of those that a ratio takes."""
        return math.ceil(self.ratio * (1 << 64))

    def takes(self, start_ns: int, due_ns: int) -> bool:
        """Whether a batch is sent that begins at `start_ns`; `due_ns` is what `due` gave for the last that was.

        >>> sum(SentBatches(0.25).takes(1_760_000_000_000_000_000 + 600_000 * batch, 0) for batch in range(1000))
        251
        """
        if self.period_ns:
            return start_ns >= due_ns
        return scattered(start_ns) < self.limit

    def due(self, start_ns: int) -> int:
        """From when on the next batch of a thread is sent after one that began at `start_ns`; 0 with a ratio.

        >>> SentBatches.of("1/s").due(1_760_000_000_600_000_000)
        1760000001000000000
        """
        return (start_ns // self.period_ns + 1) * self.period_ns if self.period_ns else 0


ALL = SentBatches()
NONE = SentBatches(0.0)
DEFAULT = SentBatches.of("1/s")
"""Those that are sent while a program trains, where it does not say which."""
