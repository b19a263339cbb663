"""The outcome of driving callbacks: where the run would have ended, and which of their inputs were recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...schema.safe_text import printable
from .recorded_hooks import RecordedFit
from .stand_ins import AbsentLogs, AbsentValue

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Stop:
    """Where a driven callback would have ended the run.

    Engines check `stop_training` after each training batch and after each epoch. So the run may go on a little after a
    callback has set it.
    """

    callback: str
    "The class of the callback that set `stop_training`."
    hook: str
    "The hook in which it did."
    epoch: int | None
    "The epoch in which it did; None outside of epochs."
    batch: int | None
    "The batch in which it did; None outside of batches."
    last_epoch: int | None
    "The last epoch that would have run; None if there would have been none."
    last_batch: int | None
    "The last batch of that epoch that would have run; None if the epoch would have ended."

    def __str__(self) -> str:
        if self.last_epoch is None:
            end = "before the first epoch"
        else:
            end = f"after {moment(self.last_epoch, self.last_batch)}"
        when = moment(self.epoch, self.batch)
        set_when = "" if when == moment(self.last_epoch, self.last_batch) else f" at {when}"
        return f"{end}: {self.callback} set stop_training in {self.hook}{set_when}"


@dataclass(frozen=True, repr=False)
class Driven:
    """The outcome of driving callbacks through the hooks of a recorded fit. `drive` returns it."""

    fit: int
    "The number of the fit."
    engine: str
    "The engine and its version."
    callbacks: tuple[str, ...]
    "The classes of the driven callbacks."
    hooks: int
    "How many of the recorded hooks were passed on."
    stop: Stop | None
    "Where a callback would have ended the run; None if none would have."
    end: str
    "How and where the recorded fit ended."
    history: pd.DataFrame
    "A row for each epoch that ended, and a column for each key of its logs as the driven callbacks left them."
    recorded: tuple[str, ...]
    "Which inputs of the callbacks are those of the run, in words."
    absent: tuple[str, ...]
    "Which are missing, or are not those of the run."

    def __repr__(self) -> str:
        end = f"ends {self.stop}" if self.stop else f"ends as recorded: {self.end}"
        lines = [
            f"fit {self.fit} of {self.engine}, driven with {', '.join(self.callbacks) or 'no callbacks'}",
            f"  {end}",
            f"  {self.hooks:,} hooks passed on",
            *(f"  recorded: {text}" for text in self.recorded),
            *(f"  absent: {text}" for text in self.absent),
        ]
        return "\n".join(map(printable, lines))


def history(epochs: Mapping[int | None, Mapping[str, Any]]) -> pd.DataFrame:
    """The logs at the end of each epoch as a DataFrame, a row for each.

    >>> history({0: {"loss": 0.5}, 1: {"loss": 0.25, "lr": 0.1}}).reset_index()
       epoch  loss   lr
    0      0  0.50  NaN
    1      1  0.25  0.1
    """
    import pandas as pd

    rows = [{} if isinstance(logs, AbsentLogs) else dict(logs) for logs in epochs.values()]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    # Using an absent value raises an exception, and pandas would use it.
    values = [{k: repr(v) if isinstance(v, AbsentValue) else v for k, v in row.items()} for row in rows]
    frame: pd.DataFrame = pd.DataFrame(values, pd.Index(list(epochs), name="epoch"), columns)
    return frame


def inputs_recorded(fit: RecordedFit) -> tuple[str, ...]:
    """Which inputs of driven callbacks are those of the recorded fit."""
    params = [f"{key}={fit.params[key]}" for key in ("epochs", "steps") if fit.params[key] is not None]
    return (
        "hooks in order, with their epochs and batches",
        f"numbers in logs: {', '.join(fit.numbers) or 'none'}",
        *([f"params as far as the run went: {', '.join(params)}"] if params else []),
    )


def inputs_absent(fit: RecordedFit, with_model: bool) -> tuple[str, ...]:
    """Which inputs of driven callbacks are missing, or, in a given model, are not those of the recorded fit."""
    absent = ["weights, optimizer, tensors" + (": those of the given model are not the run's" if with_model else "")]
    if fit.texts:
        absent.append(f"logs that are not numbers: {', '.join(fit.texts)}")
    silent = [hook.name for hook in fit.hooks if isinstance(hook.logs, AbsentLogs) and hook.name.endswith("_end")]
    if silent:
        absent.append(
            f"logs of {len(silent):,} hooks that no callback of the run received: {', '.join(dict.fromkeys(silent))}"
        )
    if fit.dropped:
        absent.append(f"{fit.dropped:,} records, dropped because the disk could not keep up")
    return tuple(absent)


def moment(epoch: int | None, batch: int | None) -> str:
    """An epoch and a batch in words.

    >>> moment(2, 10), moment(2, None), moment(None, None)
    ('epoch 2, batch 10', 'epoch 2', 'no epoch')
    """
    if batch is not None and epoch is not None:
        return f"epoch {epoch}, batch {batch}"
    if batch is not None:
        return f"batch {batch}"
    return "no epoch" if epoch is None else f"epoch {epoch}"
