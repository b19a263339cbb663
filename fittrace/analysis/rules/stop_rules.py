"""Rules on `stop_training`: who set it, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..stopped import UNSET
from .rule import Finding, is_whole, keras, number, rule, tensorflow


def _is_set(stops: pd.DataFrame) -> pd.Series:
    return ~stops["value"].astype(str).isin(UNSET)


def _finding(message: str, stop: pd.Series, span: int | None = None) -> Finding:
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
    """A last epoch that `stop_training` ended before it was validated, in a fit that validates every epoch."""
    if stops.empty:
        return
    train = batches[batches["stage"] == "train"]
    if fit["status"] != "ok" or not is_whole(process) or train.empty:
        return
    last = train.iloc[-1]
    validated = set(batches.loc[batches["stage"] == "test", "epoch"].dropna())
    before = set(train["epoch"].dropna()) - {last["epoch"]}
    asked = before <= validated if before else _validates(fit, values)
    mine = stops[(stops["fit"] == fit["fit"]) & _is_set(stops) & (stops["stage"] == "train")]
    mine = mine[(mine["epoch"] == last["epoch"]) & (mine["batch"] == last["batch"])]
    if asked and last["epoch"] not in validated and len(mine):
        stop = mine.iloc[-1]
        who = "stop_training was set outside of hooks" if pd.isna(stop["callback"]) else "sets stop_training"
        message = f"{who}: the epoch ends after batch {int(last['batch'])} without its validation"
        yield _finding(message, stop, int(last["span"]))


def _validates(fit: pd.Series, values: pd.DataFrame) -> bool:
    """Whether a fit was asked to validate every epoch."""
    given = values[values["span"] == fit["span"]].set_index("key")
    texts: dict[str, str] = given["text"].to_dict()
    numbers: dict[str, float] = given["value"].to_dict()
    has_data = texts.get("validation_data", "None") != "None" or numbers.get("validation_split", 0) > 0
    return has_data and numbers.get("validation_freq", 1) == 1


@rule(
    "stop-overwritten",
    effect="the training goes on, though a callback has stopped it",
    remedy="put the callback that stops last in the list, or use Keras 3, which resets stop_training in fit alone",
    threads=[tensorflow(37587), keras(13381)],
)
def stop_overwritten(fit: pd.Series, batches: pd.DataFrame, stops: pd.DataFrame) -> Iterator[Finding]:
    """A `stop_training` that a callback set, and that another, or an evaluate or predict in one, set back."""
    for stop, back in _settings(fit, stops):
        follow = 0 if back is None else _batches_after(batches, int(back["start_ns"]))
        if back is not None and follow:
            message = f"sets stop_training, {_by_whom(fit, back)} sets it back, and {follow:,} batches follow"
            yield _finding(message, stop, int(stop["span"]))
            return


def _by_whom(fit: pd.Series, back: pd.Series) -> str:
    if back["fit"] != fit["fit"]:
        return "an evaluate, predict or fit in a later hook"
    return f"the engine before {back['hook']}" if pd.isna(back["callback"]) else f"{back['callback']}.{back['hook']}"


@rule(
    "stop-ignored",
    effect="the training goes on, though a callback has stopped it",
    remedy="set it on the model that is trained, self.model of a callback that was given to fit",
)
def stop_ignored(fit: pd.Series, batches: pd.DataFrame, stops: pd.DataFrame) -> Iterator[Finding]:
    """A `stop_training` that stayed set while more than the batch under way was trained."""
    for stop, back in _settings(fit, stops):
        follow = _batches_after(batches, int(stop["start_ns"]))
        # A hook beside the fit may come late; one before a batch is heard of after it.
        if back is None and stop["thread"] == fit["thread"] and follow > 1:
            yield _finding(f"sets stop_training, and {follow:,} batches follow", stop, int(stop["span"]))
            return


def _settings(fit: pd.Series, stops: pd.DataFrame) -> Iterator[tuple[pd.Series, pd.Series | None]]:
    """Each time that a callback of the fit set `stop_training`, and the change by which it was set back.

    A fit in a hook may be of another model: what it sets back is the fit's own where it has not set it itself.
    """
    if stops.empty:
        return
    own: pd.Series | None = None
    others = False
    for (_, stop), is_set in zip(stops.iterrows(), _is_set(stops), strict=True):
        if stop["fit"] == fit["fit"]:
            if own is not None and not is_set:
                yield own, stop
            own = stop if is_set else None
        elif is_set:
            others = True
        elif others:
            others = False
        elif own is not None:
            yield own, stop
            own = None
    if own is not None:
        yield own, None


def _batches_after(batches: pd.DataFrame, moment: int) -> int:
    return int(((batches["stage"] == "train") & (batches["start_ns"] > moment)).sum())


STOPPING = (validation_skipped, stop_overwritten, stop_ignored)
