"""How often each statement of the engine ran in a fit, and how long it took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from .cursor import Replay
from .source_statements import SourceStatement, StatementNode, source_statements
from .statement_visits import VisitCount, visit_counts
from .turn_times import TurnTimes


@dataclass
class StatementTotal:
    """The sums over all visits to a statement."""

    count: VisitCount
    duration_ns: int | None = None
    "The time of all visits with a clock; None if there was none."
    together: int = 0
    "How many statements share that time: the statement itself, and those after it without a clock."

    def add_time(self, duration_ns: int, together: int) -> None:
        """Add the time of some visits, which as many statements share as `together` says."""
        self.duration_ns = duration_ns + (self.duration_ns or 0)
        self.together = max(self.together, together)


def statement_totals(replay: Replay) -> Iterator[tuple[SourceStatement, StatementTotal]]:
    """The statements of each function that ran in the fit, in the order of the source, with their totals."""
    by_node: dict[StatementNode, StatementTotal] = defaultdict(lambda: StatementTotal(VisitCount()))
    for node, count in visit_counts(replay).items():
        by_node[node].count = count
    for visit, duration_ns, together in TurnTimes(replay.timeline).durations():
        if visit.function is not None and visit.node is not None:
            by_node[visit.function, visit.node].add_time(duration_ns, together)
    ran = {function for function, _ in by_node}
    for statement in source_statements(replay.recording):
        if statement.function in ran:
            total = StatementTotal(VisitCount())
            for known in (by_node[node] for node in statement.nodes if node in by_node):
                total.count.add(known.count)
                if known.duration_ns is not None:
                    total.add_time(known.duration_ns, known.together)
            yield statement, total


def lines_of(replay: Replay) -> pd.DataFrame:
    """A row for each statement of each function that ran in the fit, in the order of the source.

    Columns: file, function, line, end_line, source, and

    - `visits`: how often the statement ran.
    - `duration_ns`: the time until the next statement of its function begins, calls included. If no clock was read
      there, the time reaches to the next clock, and the statements between have no time of their own.
    - `together`: how many statements share that time.
    """
    rows = []
    for statement, total in statement_totals(replay):
        place = (statement.file, statement.name, statement.line, statement.end_line, statement.source)
        rows.append((*place, total.count.visits, total.duration_ns, total.together))
    columns = ["file", "function", "line", "end_line", "source", "visits", "duration_ns", "together"]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    result: pd.DataFrame = frame.astype({"visits": "int64", "duration_ns": "Int64", "together": "int64"})
    return result
