"""What came of driving callbacks: where the run would have ended, and on what that rests."""

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
    """A driven callback would have ended the run.

    `callback` set `stop_training` in its `hook`, at `epoch` and `batch` (None outside of one). Engines look at it after
    each training batch and after each epoch: the last thing to run would have been batch `last_batch` of epoch
    `last_epoch`; a `last_batch` of None is the whole epoch, a `last_epoch` of None not even one.
    """

    callback: str
    hook: str
    epoch: int | None
    batch: int | None
    last_epoch: int | None
    last_batch: int | None

    def __str__(self) -> str:
        if self.last_epoch is None:
            end = "before the first epoch"
        else:
            end = f"after {place(self.last_epoch, self.last_batch)}"
        where = place(self.epoch, self.batch)
        set_there = "" if where == place(self.last_epoch, self.last_batch) else f" at {where}"
        return f"{end}: {self.callback} set stop_training in {self.hook}{set_there}"


@dataclass(frozen=True, repr=False)
class Driven:
    """What came of driving `callbacks` through the hooks of a recorded fit; made by `drive`.

    - `fit`, `engine` and `callbacks` say what was driven, the last by class name;
    - `hooks` is how many of the recorded hooks were passed on;
    - `stop` is where and by whom the run would have ended; None where no callback would have ended it before the
      recorded `end`, which says with what status and where the record stops;
    - `history` is a DataFrame with a row for each epoch that ended, the index `epoch`, and a column for each key of
      its logs as the driven callbacks left them;
    - `recorded` and `absent` say in words which inputs of the callbacks are those of the run, and which are missing.
    """

    fit: int
    engine: str
    callbacks: tuple[str, ...]
    hooks: int
    stop: Stop | None
    end: str
    history: pd.DataFrame
    recorded: tuple[str, ...]
    absent: tuple[str, ...]

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
    """The logs at the end of `epochs` as a DataFrame, a row for each.

    >>> history({0: {"loss": 0.5}, 1: {"loss": 0.25, "lr": 0.1}}).reset_index()
       epoch  loss   lr
    0      0  0.50  NaN
    1      1  0.25  0.1
    """
    import pandas as pd

    rows = [{} if isinstance(logs, AbsentLogs) else dict(logs) for logs in epochs.values()]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    # What is absent must not be touched, and pandas would.
    values = [{k: repr(v) if isinstance(v, AbsentValue) else v for k, v in row.items()} for row in rows]
    frame: pd.DataFrame = pd.DataFrame(values, pd.Index(list(epochs), name="epoch"), columns)
    return frame


def inputs_recorded(fit: RecordedFit) -> tuple[str, ...]:
    """Which inputs of driven callbacks are those of the recorded `fit`."""
    params = [f"{key}={fit.params[key]}" for key in ("epochs", "steps") if fit.params[key] is not None]
    return (
        "hooks in order, with their epochs and batches",
        f"numbers in logs: {', '.join(fit.numbers) or 'none'}",
        *([f"params as far as the run went: {', '.join(params)}"] if params else []),
    )


def inputs_absent(fit: RecordedFit, with_model: bool) -> tuple[str, ...]:
    """Which inputs are missing, or, `with_model`, are not those of the recorded `fit`."""
    absent = ["weights, optimizer, tensors" + (": those of the given model are not the run's" if with_model else "")]
    if fit.texts:
        absent.append(f"logs that are no numbers: {', '.join(fit.texts)}")
    silent = [hook.name for hook in fit.hooks if isinstance(hook.logs, AbsentLogs) and hook.name.endswith("_end")]
    if silent:
        absent.append(
            f"logs of {len(silent):,} hooks that the run gave no callback: {', '.join(dict.fromkeys(silent))}"
        )
    if fit.dropped:
        absent.append(f"{fit.dropped:,} records, dropped because the disk could not keep up")
    return tuple(absent)


def place(epoch: int | None, batch: int | None) -> str:
    """Where in a fit.

    >>> place(2, 10), place(2, None), place(None, None)
    ('epoch 2, batch 10', 'epoch 2', 'no epoch')
    """
    if batch is not None and epoch is not None:
        return f"epoch {epoch}, batch {batch}"
    if batch is not None:
        return f"batch {batch}"
    return "no epoch" if epoch is None else f"epoch {epoch}"
