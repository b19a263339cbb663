"""The data of a comparison: the fits, and their differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

ASPECTS = ("arguments", "hooks", "logs", "flow", "time")
"""The aspects in which two traces can be compared."""

LATER_NAMES = {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}
"""The hooks of Keras 2.2.4 that later versions renamed. They are compared under the new name."""


@dataclass(frozen=True)
class Tolerances:
    """The relative differences up to which values count as equal.

    - `value`: for values in the logs.
    - `time`: for times.
    """

    value: float = 1e-6
    time: float = 0.25


@dataclass(frozen=True)
class Steps:
    """How often a fit ran each statement of the engine.

    - `visits`: the result of `fittrace.replay.visits_of`.
    - `complete`: whether the statement of every step is known.
    """

    visits: pd.DataFrame
    complete: bool


@dataclass(frozen=True)
class ComparedFit:
    """One fit of a trace.

    - `row`: its row of `fits`.
    - `hooks`, `logs`, `spans`, `batches`, `stops`, `values`: its rows of these tables.
    - `steps`: returns its steps. It returns None if they were not recorded, or belong to the fit in whose hook this one
      was called.
    """

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
        """The thread that called the fit."""
        return str(self.row["thread"])


@dataclass(frozen=True)
class Where:
    """A statement of the engine, or the first of several, in the traces A and B.

    - `function`: the qualified name of its function.
    - `file`: its source file.
    - `line_a`, `line_b`: its line.
    - `visits_a`, `visits_b`: how often it ran.
    - `entered_a`, `entered_b`: how often its body was entered, for a branch.
    - `source`: the text of its first line.
    """

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
    """One difference between two traces.

    - `aspect`: one of `ASPECTS`, or `fits` for whole fits.
    - `kind`: what differs, such as `lost`, `added` or `value`.
    - `fit`: the number of the pair of fits.
    - `message`: the difference in words; the traces are called A and B.
    - `epoch`, `batch`: where it is first seen, if it has such a place.
    - `where`: the statement, for differences in control flow.
    """

    aspect: str
    kind: str
    fit: int | None
    message: str
    epoch: int | None = None
    batch: int | None = None
    where: Where | None = None


@dataclass(frozen=True)
class PhaseTime:
    """The time of a phase in the traces A and B.

    - `fit`: the number of the pair of fits.
    - `phase`: the phase; `first batch` for the first training batch.
    - `count_a`, `count_b`: how many spans it has.
    - `total_a_ns`, `total_b_ns`: the sum of their durations.
    - `median_a_ns`, `median_b_ns`: the median of their durations.
    - `ratio`: the median of B divided by that of A.
    - `noise`: the factor by which `ratio` may be wrong by chance; None if there are too few spans to estimate it.
    - `differs`: whether the times differ by more than tolerance and noise.
    - `hook`: the hook, for the phase `hooks`.
    - `callback`: the callback; None if the time is that of the hook for all callbacks.
    """

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
        """The phase, with callback and hook."""
        return " ".join(filter(None, (self.phase, ".".join(filter(None, (self.callback, self.hook))))))

    @property
    def cost_ns(self) -> int:
        """The difference of the totals, without sign."""
        return abs(self.total_b_ns - self.total_a_ns)
