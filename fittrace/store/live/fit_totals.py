"""What is kept of one fit while it goes on: sums, and the last rows. Its size does not grow with the fit."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .series import Series

RECENT = 64
"""Readings of the journal over which the rate of batches is taken, at most."""
MOST_HOOKS, MOST_KEYS = 1024, 64
"""Callbacks' hooks with a sum, and keys of logs with a last value. Further ones are left out."""

OTHER = "other"
"""Stands for the time of a batch outside of its phases."""


@dataclass(frozen=True)
class FirstBadValue:
    """The first value of a key of the logs that is NaN or infinite.

    - `key`: the key.
    - `value`: the value.
    - `epoch`, `batch`: when; None outside of epochs or batches.
    """

    key: str
    value: float
    epoch: int | None
    batch: int | None


@dataclass(frozen=True)
class Stop:
    """A change of the model's `stop_training`.

    - `value`: the new value, as Python writes it.
    - `callback`, `hook`: the hook that changed it; `callback` is None if no callback did.
    - `epoch`: when; None outside of epochs.
    """

    value: str
    callback: str | None
    hook: str | None
    epoch: int | None


@dataclass
class FitTotals:
    """The sums and last rows of one fit. Only spans that have ended count.

    - `number`: the number of the fit.
    - `stage`: the fit's own stage; that of its validations is `test`.
    - `arguments`: the numeric ones among its arguments, such as `epochs`.
    - `batches`, `batch_ns`: number of batches and their time, by stage.
    - `phase_ns`: time in the phases of batches, by stage and phase, or `OTHER`. It lags behind the other sums.
    - `hook_ns`, `hook_calls`: time and number of the calls of each callback's hook, by class and hook.
    - `epochs`: number of epochs that have ended.
    - `epoch_ns`: durations of the last ones.
    - `epoch`, `batch`: those of the last batch of its own stage; -1 before the first.
    - `batches_in_epoch`: batches of its own stage in the epoch `epoch`.
    - `steps`: the most such batches in an epoch that has ended; 0: none has.
    - `recent`: moments at which batches ended, and how many had ended by then.
    - `start_ns`, `latest_ns`: its first and its latest moment, in Unix nanoseconds.
    - `batch_logs`, `epoch_logs`: the last value of each key at the end of batches and epochs.
    - `loss`: the loss of all batches of its own stage, in few points.
    - `bad_values`: of each key the first value that is NaN or infinite.
    - `stops`: the last changes of `stop_training`.
    - `status`: how it ended; None while it goes on.
    - `error`: the exception that left it.
    """

    number: int
    stage: str = "train"
    arguments: dict[str, float] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)
    batch_ns: dict[str, int] = field(default_factory=dict)
    phase_ns: dict[tuple[str, str], int] = field(default_factory=dict)
    hook_ns: dict[tuple[str, str], int] = field(default_factory=dict)
    hook_calls: dict[tuple[str, str], int] = field(default_factory=dict)
    epochs: int = 0
    epoch_ns: deque[int] = field(default_factory=lambda: deque(maxlen=5))
    epoch: int = -1
    batch: int = -1
    batches_in_epoch: int = 0
    steps: int = 0
    recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=RECENT))
    start_ns: int | None = None
    latest_ns: int = 0
    batch_logs: dict[str, float] = field(default_factory=dict)
    epoch_logs: dict[str, float] = field(default_factory=dict)
    loss: Series = field(default_factory=Series)
    bad_values: dict[str, FirstBadValue] = field(default_factory=dict)
    stops: deque[Stop] = field(default_factory=lambda: deque(maxlen=4))
    status: str | None = None
    error: str | None = None
