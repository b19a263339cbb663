"""What is compared, and what differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

ASPECTS = ("arguments", "hooks", "logs", "flow", "time")
"""What of two traces is compared."""

LATER_NAMES = {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}
"""The hooks of Keras 2.2.4 that later ones call otherwise; what they are given is compared."""


@dataclass(frozen=True)
class Tolerances:
    """What still counts as alike: relative differences of values in the logs, and of time."""

    value: float = 1e-6
    time: float = 0.25


@dataclass(frozen=True)
class Steps:
    """How often a fit came by each statement of the engine, as `fittrace.replay.visits_of` tells it; `complete` where
    it is known of every step which statement it was."""

    visits: pd.DataFrame
    complete: bool


@dataclass(frozen=True)
class ComparedFit:
    """One fit of a trace: its row of `fits`, its rows of the other tables, and a function that gives its steps: None
    where they were not recorded, or are those of the fit in whose hook it was called."""

    row: pd.Series
    hooks: pd.DataFrame
    logs: pd.DataFrame
    spans: pd.DataFrame
    batches: pd.DataFrame
    stops: pd.DataFrame
    values: pd.DataFrame
    steps: Callable[[], Steps | None]

    @property
    def thread(self) -> str:
        """The thread that called it."""
        return str(self.row["thread"])


@dataclass(frozen=True)
class Where:
    """A statement of the engine, or the first of several: its `function` (qualified) and `file`, its line in either,
    how often it ran and, of a branch, entered its body, and the `source` of its first line."""

    function: str
    file: str
    line_a: int
    line_b: int
    visits_a: int
    visits_b: int
    entered_a: int
    entered_b: int
    source: str


@dataclass(frozen=True)
class Difference:
    """One thing that differs, in `message`, which calls the traces A and B. `fit` is the number of the pair of fits;
    `epoch` and `batch` are the first at which it shows, where it has a first, and `where` the statement, for those that
    only one came by."""

    aspect: str
    kind: str
    fit: int | None
    message: str
    epoch: int | None = None
    batch: int | None = None
    where: Where | None = None


@dataclass(frozen=True)
class PhaseTime:
    """A phase's time in both: totals and medians of its spans, how many times as long the median is in B, and the
    factor by which that may be wrong by chance; `noise` None where there are too few spans to tell. `differs` is the
    verdict. Of the phase `hooks` there is one for each `hook` that takes some time, and for each `callback` in it; of
    the first training batch there is one with the phase `first batch`."""

    fit: int
    phase: str
    count_a: int
    count_b: int
    total_a_ns: int
    total_b_ns: int
    median_a_ns: int
    median_b_ns: int
    ratio: float
    noise: float | None
    differs: bool
    hook: str | None = None
    callback: str | None = None

    @property
    def name(self) -> str:
        """The phase, and whose hook it is."""
        return " ".join(filter(None, (self.phase, ".".join(filter(None, (self.callback, self.hook))))))

    @property
    def cost_ns(self) -> int:
        """How much more or less time it takes in B."""
        return abs(self.total_b_ns - self.total_a_ns)
