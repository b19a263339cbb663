"""What is compared, and what differs."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

ASPECTS = ("hooks", "logs", "flow", "time")
"""What of two traces is compared."""

LATER_NAMES = {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}
"""The hooks of Keras 2.2.4 that later ones call otherwise; what they are given is compared."""


@dataclass(frozen=True)
class Tolerances:
    """What still counts as alike: relative differences of values in the logs, and of time."""

    value: float = 1e-6
    time: float = 0.25


@dataclass(frozen=True)
class Fit:
    """One fit of a trace: its row of `fits`, and its rows of the other tables."""

    row: pd.Series
    hooks: pd.DataFrame
    logs: pd.DataFrame
    spans: pd.DataFrame
    batches: pd.DataFrame

    @property
    def thread(self) -> str:
        """The thread that called it."""
        return str(self.row["thread"])


@dataclass(frozen=True)
class Difference:
    """One thing that differs, in `message`, which calls the traces A and B. `fit` is the number of the pair of fits;
    `epoch` and `batch` are the first at which it shows, where it has a first."""

    aspect: str
    kind: str
    fit: int | None
    message: str
    epoch: int | None = None
    batch: int | None = None


@dataclass(frozen=True)
class PhaseTime:
    """A phase's time in both: medians of its spans, how many times as long it takes in B, and the factor by which that
    may be wrong by chance; `noise` None where there are too few spans to tell. `differs` is the verdict."""

    fit: int
    phase: str
    count_a: int
    count_b: int
    median_a_ns: int
    median_b_ns: int
    ratio: float
    noise: float | None
    differs: bool
