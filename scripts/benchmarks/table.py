"""The table of results: its rows, how they are summed up from samples, and how they are written."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- scripts/bench writes from here -->", "<!-- to here -->"
_SECTION = "### "
_HEAD = ("measured", "median", "interval", "goal", "")
_DOUBT = 0.05
"""How probably an interval does not hold the median."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `goal` is the largest value that is good enough, the smallest where `at_least`; None where there is no goal and
    the line stands for comparison. `digits` are those after the point.
    """

    what: str
    samples: Sequence[float]
    unit: str = ""
    goal: float | None = None
    at_least: bool = False
    digits: int = 2

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the median is: two of the samples, such that as many lie above it as below but for `_DOUBT`.

        It takes nothing for granted of how the samples are distributed. Less than six give their smallest and largest.
        """
        ordered = sorted(self.samples)
        rank, below = 0, 1 / 2 ** len(ordered)
        while (below := below + math.comb(len(ordered), rank + 1) / 2 ** len(ordered)) <= _DOUBT / 2:
            rank += 1
        return ordered[rank], ordered[-1 - rank]

    @property
    def verdict(self) -> str:
        """Whether the goal is met; `unclear` where the median may lie on either side of it."""
        if self.goal is None:
            return ""
        good = [one >= self.goal if self.at_least else one <= self.goal for one in self.interval]
        return "met" if all(good) else "unclear" if any(good) else "missed"

    def cells(self) -> tuple[str, ...]:
        """The texts of the line."""
        spread = ""
        if len(self.samples) > 1:
            low, high = self.interval
            spread = f"{self._number(low)} – {self._number(high)}"
        unit = f" {self.unit}" if self.unit else ""
        goal = "" if self.goal is None else f"{'≥' if self.at_least else '≤'} {self.goal:g}{unit}"
        return (self.what, f"{self._number(self.median)}{unit}", spread, goal, self.verdict)

    def _number(self, value: float) -> str:
        return f"{value:,.{self.digits}f}"


def ratios(of: Iterable[float], to: Iterable[float]) -> list[float]:
    """Each sample of `of` over its neighbour of `to`."""
    return [one / other for one, other in zip(of, to, strict=True)]


def as_text(title: str, rows: Sequence[Row]) -> str:
    """The rows for a terminal."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    aligned = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join([title, *(f"  {line}" for line in aligned)]) + "\n"


def as_markdown(title: str, rows: Sequence[Row], about: str) -> str:
    """The rows for a document: a section that begins with its title and ends with `about`, when and where it was."""
    lines = [_HEAD, ("---", "---:", "---:", "---:", "---"), *(row.cells() for row in rows)]
    return "\n".join([f"{_SECTION}{title}", "", *("| " + " | ".join(line) + " |" for line in lines), "", about, ""])


def write_between_markers(path: Path, sections: Mapping[str, str | None]) -> None:
    """Put `sections`, by title and in order, between the markers of the document at `path`.

    A section that is None stays as it stands there. Raises `ValueError` where the document has no markers.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    standing, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path}: no place for the table; put a line {BEGIN} and a line {END} into it")
    old = {text.partition("\n")[0]: f"{_SECTION}{text.rstrip()}\n" for text in standing.split(_SECTION)[1:]}
    texts = [old.get(title) if text is None else text for title, text in sections.items()]
    kept = "\n".join(text for text in texts if text is not None)
    path.write_text(f"{before}{BEGIN}\n\n{kept}\n{END}{after}", encoding="utf-8")
