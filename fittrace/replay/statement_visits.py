"""Visits: how often control came by each statement of the engine in a fit, and how often it entered what follows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .cursor import Replay

Place = tuple[int, int]
"""A statement: its function and its node."""


@dataclass
class Count:
    """The `visits` of a statement, and of those of a branch how many `entered` its body and how many `passed` it."""

    visits: int = 0
    entered: int = 0
    passed: int = 0

    def add(self, other: Count) -> None:
        """Add what another counts."""
        self.visits += other.visits
        self.entered += other.entered
        self.passed += other.passed


def counts_of(replay: Replay) -> dict[Place, Count]:
    """The count of each statement that ran. Turns that are alike are counted together."""
    stretches = replay.stretches
    turns = np.zeros(len(stretches.kinds), np.int64)
    np.add.at(turns, stretches.kind, stretches.turns)
    counts: dict[Place, Count] = defaultdict(Count)
    for kind, times in zip(stretches.kinds, turns.tolist(), strict=True):
        for visit in kind.visits:
            if visit.function is not None and visit.node is not None:
                entered, passed = visit.arm == 0, visit.arm is not None and visit.arm > 0
                counts[visit.function, visit.node].add(Count(times, times * entered, times * passed))
    return dict(counts)


def visits_of(replay: Replay) -> pd.DataFrame:
    """A row for each statement of each function that was recorded, whether or not it ran, in the order of the source.

    Columns: file, function, line, end_line, source, visits, entered, passed. The last two are of a branch or a loop:
    how often control went into its body, and how often past it; both are 0 where that was not recorded.
    """
    counts = counts_of(replay)
    rows = []
    for number, graph in enumerate(replay.recording.program.graphs):
        text = replay.recording.sources.get(graph.file, ())
        by_line: dict[tuple[int, int], Count] = {}
        for place, node in enumerate(graph.nodes):
            if node.line:
                total = by_line.setdefault((node.line, node.end_line), Count())
                total.add(counts.get((number, place), Count()))
        for (line, end_line), total in sorted(by_line.items()):
            source = "\n".join(text[line - 1 : end_line])
            rows.append((graph.file, graph.name, line, end_line, source, total.visits, total.entered, total.passed))
    columns = ["file", "function", "line", "end_line", "source", "visits", "entered", "passed"]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return frame


def unknown_of(replay: Replay) -> int:
    """How many steps of a fit there are of which it is not known what ran."""
    stretches = replay.stretches
    unknown = np.array([sum(visit.node is None for visit in kind.visits) for kind in stretches.kinds], np.int64)
    return int((unknown[stretches.kind] * stretches.turns).sum()) if len(stretches) else 0
