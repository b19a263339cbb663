"""Which batches are sampled: what the user writes after `--run-metadata`.

The command line checks it, capture goes by it, and the store says which batches never came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import FittraceError

OFF = "off"
DEFAULT = OFF
"""On every engine: a process has one profiler, and it is the program's unless the user says otherwise."""
SUGGESTED = "first=3"
"""What a user is told to try."""

_COUNTED = re.compile(r"(first|every)=([0-9]{1,18})")
_BATCHES = re.compile(r"([0-9]{1,18}):([0-9]{1,18})(?:-([0-9]{1,18}))?")


class BadSampling(FittraceError):
    """A choice of batches that says nothing which fittrace understands."""


@dataclass(frozen=True)
class Sampling:
    """The training batches of each fit whose `RunMetadata` is kept.

    `first` is how many from the fit's beginning; `every` the number of which a batch's own must be a multiple (0:
    none); `batches` are epoch, first and last batch, as Keras counts them.
    """

    everything: bool = False
    first: int = 0
    every: int = 0
    batches: tuple[tuple[int, int, int], ...] = field(default=())

    @property
    def is_off(self) -> bool:
        """Whether no batch is sampled at all."""
        return not (self.everything or self.first or self.every or self.batches)

    def wants(self, taken: int, epoch: int, batch: int, last: int) -> bool:
        """Whether the step from `batch` to `last` of `epoch` is sampled, `taken` steps of this fit being so already.

        >>> parse("1:10-12").wants(0, epoch=1, batch=8, last=11), parse("first=3").wants(3, 0, 3, 3)
        (True, False)
        """
        return (
            self.everything
            or taken < self.first
            or bool(self.every and last - last % self.every >= batch)
            or any(epoch == where and batch <= end and last >= begin for where, begin, end in self.batches)
        )

    def is_over(self, taken: int, epoch: int, last: int) -> bool:
        """Whether none of the fit's batches after `last` of `epoch` can be one that is wanted."""
        if self.everything or self.every or taken < self.first:
            return False
        return all((where, end) <= (epoch, last) for where, _, end in self.batches)


def parse(text: str) -> Sampling:
    """What `text` asks for: `off`, `all`, or a list of `first=N`, `every=N` and `epoch:batch` or `epoch:batch-batch`.

    Raises `BadSampling`.

    >>> parse("first=3,0:100-102")
    Sampling(everything=False, first=3, every=0, batches=((0, 100, 102),))
    """
    if text.strip() == OFF:
        return Sampling()
    everything, counted, batches = False, {"first": 0, "every": 0}, []
    for part in text.split(","):
        part = part.strip()
        number, place = _COUNTED.fullmatch(part), _BATCHES.fullmatch(part)
        if part == "all":
            everything = True
        elif number is not None and int(number.group(2)) and not counted[number.group(1)]:
            counted[number.group(1)] = int(number.group(2))
        elif place is not None and int(place.group(3) or place.group(2)) >= int(place.group(2)):
            batches.append((int(place.group(1)), int(place.group(2)), int(place.group(3) or place.group(2))))
        else:
            raise BadSampling(
                "--run-metadata %s: %r says nothing; use off, all, or a list of first=N, every=N, epoch:batch and "
                "epoch:batch-batch, such as first=3,0:100-102" % (text, part)
            )
    return Sampling(everything, counted["first"], counted["every"], tuple(batches))
