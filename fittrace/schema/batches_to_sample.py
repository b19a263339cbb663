"""The choice of sampled batches, as the option `--run-metadata` has it.

The command line checks it, capture follows it, and the store reports chosen batches that were not recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import FittraceError

OFF = "off"
DEFAULT = OFF
"""Off on every engine: a process has only one profiler, and the program may need it."""
SUGGESTED = "first=3"
"""The choice that messages suggest."""

_COUNTED = re.compile(r"(first|every)=([0-9]{1,18})")
_BATCHES = re.compile(r"([0-9]{1,18}):([0-9]{1,18})(?:-([0-9]{1,18}))?")


class BadSampling(FittraceError):
    """A choice of batches that fittrace does not understand."""


@dataclass(frozen=True)
class Sampling:
    """The training batches of each fit that are sampled.

    - `everything`: whether all are.
    - `first`: how many steps at the fit's beginning are.
    - `every`: batches whose number is a multiple of it are; 0 for none.
    - `batches`: ranges of batches: epoch, first and last batch, as Keras counts them.
    """

    everything: bool = False
    first: int = 0
    every: int = 0
    batches: tuple[tuple[int, int, int], ...] = field(default=())

    @property
    def is_off(self) -> bool:
        """Whether no batch is sampled."""
        return not (self.everything or self.first or self.every or self.batches)

    def wants(self, taken: int, epoch: int, batch: int, last: int) -> bool:
        """Whether a step is sampled.

        - `taken`: how many steps of the fit are sampled already.
        - `epoch`: the epoch of the step.
        - `batch`: its first batch.
        - `last`: its last batch.

        >>> parse("1:10-12").wants(0, epoch=1, batch=8, last=11), parse("first=3").wants(3, 0, 3, 3)
        (True, False)
        """
        return (
            self.everything
            or taken < self.first
            or bool(self.every and last - last % self.every >= batch)
            or any(epoch == in_epoch and batch <= end and last >= begin for in_epoch, begin, end in self.batches)
        )

    def is_over(self, taken: int, epoch: int, last: int) -> bool:
        """Whether no later step of the fit is sampled.

        - `taken`: how many steps of the fit are sampled already.
        - `epoch`: the current epoch.
        - `last`: the last batch of the current step.

        >>> parse("0:10").is_over(1, epoch=0, last=10), parse("every=100").is_over(5, epoch=9, last=400)
        (True, False)
        """
        if self.everything or self.every or taken < self.first:
            return False
        return all((in_epoch, end) <= (epoch, last) for in_epoch, _, end in self.batches)


def parse(text: str) -> Sampling:
    """The choice in `text`: `off`, `all`, or a list of `first=N`, `every=N`, `epoch:batch` and `epoch:batch-batch`.

    Raises `BadSampling` if it has any other part.

    >>> parse("first=3,0:100-102")
    Sampling(everything=False, first=3, every=0, batches=((0, 100, 102),))
    """
    if text.strip() == OFF:
        return Sampling()
    everything, counted, batches = False, {"first": 0, "every": 0}, []
    for part in text.split(","):
        part = part.strip()
        count, batch_range = _COUNTED.fullmatch(part), _range(part)
        if part == "all":
            everything = True
        elif count is not None and int(count.group(2)) and not counted[count.group(1)]:
            counted[count.group(1)] = int(count.group(2))
        elif batch_range is not None:
            batches.append(batch_range)
        else:
            raise BadSampling(
                "--run-metadata %s: %r says nothing; use off, all, or a list of first=N, every=N, epoch:batch and "
                "epoch:batch-batch, such as first=3,0:100-102" % (text, part)
            )
    return Sampling(everything, counted["first"], counted["every"], tuple(batches))


def _range(part: str) -> "tuple[int, int, int] | None":
    """Epoch, first and last batch in `epoch:batch` or `epoch:batch-batch`; None for anything else."""
    match = _BATCHES.fullmatch(part)
    if match is None:
        return None
    epoch, first, last = (int(number) for number in (match.group(1), match.group(2), match.group(3) or match.group(2)))
    return (epoch, first, last) if first <= last else None
