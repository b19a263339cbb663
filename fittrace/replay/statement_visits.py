"""How often control came to each statement of the engine in a fit, and which way it went from there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .cursor import Replay
from .source_statements import StatementNode, source_statements


@dataclass
class VisitCount:
    """The visits to a statement."""

    visits: int = 0
    entered: int = 0
    "After how many of them control went into the body of the branch or loop."
    passed: int = 0
    "After how many of them control went past the body."

    def add(self, other: VisitCount) -> None:
        """Add the visits that `other` counts."""
        self.visits += other.visits
        self.entered += other.entered
        self.passed += other.passed


def visit_counts(replay: Replay) -> dict[StatementNode, VisitCount]:
    """The visits to each statement that ran. All turns of a kind are counted at once."""
    runs = replay.timeline.runs
    turns = np.zeros(len(runs.kinds), np.int64)
    np.add.at(turns, runs.kind, runs.turns)
    counts: dict[StatementNode, VisitCount] = defaultdict(VisitCount)
    for kind, times in zip(runs.kinds, turns.tolist(), strict=True):
        for visit in kind.visits:
            if visit.function is not None and visit.node is not None:
                entered, passed = visit.arm == 0, visit.arm is not None and visit.arm > 0
                counts[visit.function, visit.node].add(VisitCount(times, times * entered, times * passed))
    return dict(counts)


def visits_of(replay: Replay) -> pd.DataFrame:
    """A row for each statement of each function that recorded, whether it ran or not, in the order of the source.

    Columns: file, function, line, end_line, source, visits, entered, passed. The last two are for branches and loops:
    how often control went into the body, and how often past it. Both are 0 if that was not recorded.
    """
    counts = visit_counts(replay)
    rows = []
    for statement in source_statements(replay.recording):
        total = VisitCount()
        for node in statement.nodes:
            total.add(counts.get(node, VisitCount()))
        place = (statement.file, statement.name, statement.line, statement.end_line, statement.source)
        rows.append((*place, total.visits, total.entered, total.passed))
    columns = ["file", "function", "line", "end_line", "source", "visits", "entered", "passed"]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return frame


def unknown_of(replay: Replay) -> int:
    """How many steps of a fit are unknown, because records are missing or have no place in the source."""
    runs = replay.timeline.runs
    unknown = np.array([sum(visit.node is None for visit in kind.visits) for kind in runs.kinds], np.int64)
    return int((unknown[runs.kind] * runs.turns).sum()) if len(runs) else 0
