"""Rules on `stop_training`: who set it, and what followed."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..stopped import sets_stop
from .rule import Finding, is_whole, keras, number, rule, tensorflow


def _finding(message: str, stop: pd.Series, span: int | None = None) -> Finding:
    """A finding about `stop`, a row of `stops`."""
    callback = None if pd.isna(stop["callback"]) else str(stop["callback"])
    hook = None if callback is None else str(stop["hook"])
    return Finding(message, number(stop["epoch"]), number(stop["batch"]), callback, hook, span)


@rule(
    "validation-skipped",
    effect="the last epoch's logs have no val_ keys: ModelCheckpoint and EarlyStopping miss the epoch",
    remedy="set stop_training in on_epoch_end, or call model.evaluate after fit",
    threads=[keras(12268)],
)
def validation_skipped(
    fit: pd.Series, process: pd.Series, batches: pd.DataFrame, stops: pd.DataFrame, values: pd.DataFrame
) -> Iterator[Finding]:
    """A last epoch that `stop_training` ended before its validation, in a fit that validates every epoch."""
    if stops.empty:
        return
    train = batches[batches["stage"] == "train"]
    if fit["status"] != "ok" or not is_whole(process) or train.empty:
        return
    last = train.iloc[-1]
    validated = set(batches.loc[batches["stage"] == "test", "epoch"].dropna())
    earlier = set(train["epoch"].dropna()) - {last["epoch"]}
    # Earlier epochs show whether the fit validates every epoch. Without any, its arguments must show it.
    validates = earlier <= validated if earlier else _is_asked_to_validate(fit, values)
    own = stops[(stops["fit"] == fit["fit"]) & sets_stop(stops) & (stops["stage"] == "train")]
    at_last = own[(own["epoch"] == last["epoch"]) & (own["batch"] == last["batch"])]
    if validates and last["epoch"] not in validated and len(at_last):
        stop = at_last.iloc[-1]
        who = "stop_training was set outside of hooks" if pd.isna(stop["callback"]) else "sets stop_training"
        message = f"{who}: the epoch ends after batch {int(last['batch'])} without its validation"
        yield _finding(message, stop, int(last["span"]))


def _is_asked_to_validate(fit: pd.Series, values: pd.DataFrame) -> bool:
    """Whether the arguments of a fit ask for a validation of every epoch."""
    arguments = values[values["span"] == fit["span"]].set_index("key")
    texts: dict[str, str] = arguments["text"].to_dict()
    numbers: dict[str, float] = arguments["value"].to_dict()
    has_data = texts.get("validation_data", "None") != "None" or numbers.get("validation_split", 0) > 0
    return has_data and numbers.get("validation_freq", 1) == 1


@rule(
    "stop-overwritten",
    effect="the training goes on, though a callback has stopped it",
    remedy="put the callback that stops last in the list, or use Keras 3, which resets stop_training in fit alone",
    threads=[tensorflow(37587), keras(13381)],
)
def stop_overwritten(fit: pd.Series, batches: pd.DataFrame, stops: pd.DataFrame) -> Iterator[Finding]:
    """A `stop_training` that a callback set, and that another callback, or an evaluate or predict in one, reset."""
    for stop, reset in _set_and_reset(fit, stops):
        follow = 0 if reset is None else _batches_after(batches, int(reset["start_ns"]))
        if reset is not None and follow:
            message = f"sets stop_training, {_who_reset(fit, reset)} sets it back, and {follow:,} batches follow"
            yield _finding(message, stop, int(stop["span"]))
            return


def _who_reset(fit: pd.Series, reset: pd.Series) -> str:
    if reset["fit"] != fit["fit"]:
        return "an evaluate, predict or fit in a later hook"
    hook = reset["hook"]
    return f"the engine before {hook}" if pd.isna(reset["callback"]) else f"{reset['callback']}.{hook}"


@rule(
    "stop-ignored",
    effect="the training goes on, though a callback has stopped it",
    remedy="set it on the model that is trained, self.model of a callback that was given to fit",
)
def stop_ignored(fit: pd.Series, batches: pd.DataFrame, stops: pd.DataFrame) -> Iterator[Finding]:
    """A `stop_training` that stayed set while more than the current batch was trained."""
    for stop, reset in _set_and_reset(fit, stops):
        follow = _batches_after(batches, int(stop["start_ns"]))
        # A hook on another thread may be late. One batch may follow: engines read `stop_training` after a batch, so a
        # hook that sets it before one still lets it run.
        if reset is None and stop["thread"] == fit["thread"] and follow > 1:
            yield _finding(f"sets stop_training, and {follow:,} batches follow", stop, int(stop["span"]))
            return


def _set_and_reset(fit: pd.Series, stops: pd.DataFrame) -> Iterator[tuple[pd.Series, pd.Series | None]]:
    """Each row of `stops` with which a callback of the fit set `stop_training`, and the row that reset it, if any.

    `stops` has the rows of fits in its hooks too. Such a fit may be of another model. If it resets a value that it has
    not set, its model is the same, and it resets the value of `fit`.
    """
    if stops.empty:
        return
    set_by_fit: pd.Series | None = None
    is_set_by_inner = False
    for (_, stop), is_set in zip(stops.iterrows(), sets_stop(stops), strict=True):
        if stop["fit"] == fit["fit"]:
            if set_by_fit is not None and not is_set:
                yield set_by_fit, stop
            set_by_fit = stop if is_set else None
        elif is_set:
            is_set_by_inner = True
        elif is_set_by_inner:
            is_set_by_inner = False
        elif set_by_fit is not None:
            yield set_by_fit, stop
            set_by_fit = None
    if set_by_fit is not None:
        yield set_by_fit, None


def _batches_after(batches: pd.DataFrame, moment_ns: int) -> int:
    """How many training batches began after a moment in Unix nanoseconds."""
    return int(((batches["stage"] == "train") & (batches["start_ns"] > moment_ns)).sum())


STOPPING = (validation_skipped, stop_overwritten, stop_ignored)
