"""How often each statement of the engine ran in a fit, and how long it took."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pandas as pd

from .cursor import Replay
from .source_statements import StatementNode, source_statements
from .statement_visits import visit_counts
from .turn_times import TurnTimes


@dataclass
class _Total:
    """What is known of a statement so far."""

    visits: int = 0
    duration_ns: int | None = None
    "The time of all visits with a clock; None if there was none."
    together: int = 0
    "How many statements share that time: the statement itself, and those after it without a clock."

    def add_time(self, duration_ns: int, together: int) -> None:
        self.duration_ns = duration_ns + (self.duration_ns or 0)
        self.together = max(self.together, together)


def lines_of(replay: Replay) -> pd.DataFrame:
    """A row for each statement of each function that ran in the fit, in the order of the source.

    Columns: file, function, line, end_line, source, and

    - `visits`: how often the statement ran.
    - `duration_ns`: the time until the next statement of its function begins, calls included. If no clock was read
      there, the time reaches to the next clock, and the statements between have no time of their own.
    - `together`: how many statements share that time.
    """
    totals: dict[StatementNode, _Total] = defaultdict(_Total)
    for node, count in visit_counts(replay).items():
        totals[node].visits = count.visits
    for visit, duration_ns, together in TurnTimes(replay.timeline).durations():
        if visit.function is not None and visit.node is not None:
            totals[visit.function, visit.node].add_time(duration_ns, together)
    ran = {function for function, _ in totals}
    rows = []
    for statement in source_statements(replay.recording):
        if statement.function in ran:
            total = _Total()
            for known in (totals[node] for node in statement.nodes if node in totals):
                total.visits += known.visits
                if known.duration_ns is not None:
                    total.add_time(known.duration_ns, known.together)
            place = (statement.file, statement.name, statement.line, statement.end_line, statement.source)
            rows.append((*place, total.visits, total.duration_ns, total.together))
    columns = ["file", "function", "line", "end_line", "source", "visits", "duration_ns", "together"]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    result: pd.DataFrame = frame.astype({"visits": "int64", "duration_ns": "Int64", "together": "int64"})
    return result
