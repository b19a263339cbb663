"""The `Trace` that `fittrace.open` returns: the tables of a trace, its replays, its annotated source, its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .analysis.verdict import with_verdicts
from .replay import Replay, lines_of, recording
from .report import ReportPage, display, document
from .tables import TraceTables as Tables

if TYPE_CHECKING:
    import pandas as pd


class Trace(Tables):
    """One run, or all runs of a folder: its tables, and the replay of its fits, and its page."""

    def fits(self) -> pd.DataFrame:
        """The calls of `fit`, and of `evaluate` and `predict` outside of it, with what each was bound by.

        Besides the stored columns there are `bound`, one of the words of `docs/verdict.md`, and `bound_share`, the
        share of the fit that went to it, from 0 to 1.

        >>> import fittrace
        >>> fittrace.open("traces/reference-keras-3").fits()[["method", "bound"]]
             method     bound
        0       fit  start-up
        1  evaluate  start-up
        """
        return with_verdicts(super().fits(), self)

    def replay(self, fit: int = 0, process: int | None = None, run: str | None = None) -> Replay:
        """A cursor on the control flow of one fit.

        - `fit`: the number of the fit in its process.
        - `process`: the number of the process; needed if several processes have such a fit.
        - `run`: the name of the run; needed if several runs of a folder have such a fit.

        Raises `NoFlow` if there is no such fit, or if its control flow was not recorded.

        >>> import fittrace
        >>> [step.line for step in fittrace.open("traces/reference-keras-3").replay()[:3]]  # doctest: +SKIP
        [338, 340, 341]
        """
        return Replay(recording(self, fit, process, run))

    def lines(self, fit: int = 0, process: int | None = None, run: str | None = None) -> pd.DataFrame:
        """The engine's source as one fit ran it: a row for each statement, in the order of the source.

        `fit`, `process` and `run` select the fit as for `replay`. The columns:

        - `file`, `function`, `line`, `end_line`, `source`: the statement and its place.
        - `visits`: how often the fit ran it.
        - `duration_ns`: the time until the next statement of the function, calls included. Missing if the statement
          shares the clock of an earlier one.
        - `together`: how many statements share the clock.

        >>> import fittrace
        >>> lines = fittrace.open("traces/reference-keras-3").lines()
        >>> lines[lines.source.str.contains("self.train_function")].visits.tolist()  # doctest: +SKIP
        [450]
        """
        return lines_of(self.replay(fit, process, run))

    def report(self, redact: bool = False) -> ReportPage:
        """The whole trace as one HTML page. A notebook shows it; `save` writes it to a file.

        `redact`: leave out the engine's source, the host, paths and arguments, to pass the page on.

        >>> import fittrace
        >>> page = fittrace.open("traces/reference-keras-3").report()  # doctest: +SKIP
        >>> page.save("fit.html")  # doctest: +SKIP
        PosixPath('fit.html')
        """
        return ReportPage(document(self, redacted=redact))

    def _repr_html_(self) -> str:
        return display(self)
