"""What `fittrace.open` gives: the tables of a trace, and what is made of them."""

from __future__ import annotations

from .replay import Replay, recording
from .tables import Trace as Tables


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
