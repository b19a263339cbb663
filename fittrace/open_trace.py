"""What `fittrace.open` gives: the tables of a trace, and what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .replay import Replay, lines_of, recording
from .tables import TraceTables as Tables

if TYPE_CHECKING:
    import pandas as pd


class Trace(Tables):
    """One run, or all runs of a folder: its tables, and the replay of its fits."""

    def replay(self, fit: int = 0, process: int | None = None, run: str | None = None) -> Replay:
        """A cursor on the control flow of one fit.

        `process`, and `run` in a folder of runs, are needed where several have a fit of that number. Raises `NoFlow`
        where there is none, or where its control flow was not recorded.

        >>> import fittrace
        >>> [step.line for step in fittrace.open("traces/reference-keras-3").replay()[:3]]  # doctest: +SKIP
        [338, 340, 341]
        """
        return Replay(recording(self, fit, process, run))

    def lines(self, fit: int = 0, process: int | None = None, run: str | None = None) -> pd.DataFrame:
        """The engine's source as one fit ran it: a row for each statement, in the order of the source.

        Columns: file, function, line, end_line, source, visits, duration_ns (until the next statement of the function,
        calls included; missing where the statement shares the clock of one before it) and together (how many share it).

        >>> import fittrace
        >>> lines = fittrace.open("traces/reference-keras-3").lines()
        >>> lines[lines.source.str.contains("self.train_function")].visits.tolist()  # doctest: +SKIP
        [450]
        """
        return lines_of(self.replay(fit, process, run))
