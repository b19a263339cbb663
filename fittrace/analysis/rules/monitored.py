"""What a callback that monitors a key makes of its values: `EarlyStopping`, `ReduceLROnPlateau`, `ModelCheckpoint`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

from ..callback_settings import CallbackSettings

_GROWS = re.compile(r"acc|auc|precision|recall|f\d|iou|dice|r2", re.I)
_FALLS = re.compile(r"loss|error|mae|mse|mape|msle|rmse|perplexity", re.I)


@dataclass(frozen=True)
class Monitored:
    """What one callback monitors in a fit.

    - `key`: the key of the logs.
    - `sign`: 1 if larger values are better, -1 if smaller ones are.
    - `values`: the value at the end of each epoch that has one, in order.
    """

    key: str
    sign: int
    values: list[tuple[int, float]]

    def improves(self, value: float, best: float | None, min_delta: float = 0.0) -> bool:
        """Whether `value` is better than `best` by more than `min_delta`. Anything is better than None."""
        return best is None or self.sign * (value - best) > abs(min_delta)

    def best(self) -> float:
        """The best of the values."""
        return self.sign * max(self.sign * value for _, value in self.values)


def monitored(settings: CallbackSettings, hooks: pd.DataFrame) -> Monitored | None:
    """What a callback monitors at the ends of epochs; None if it monitors nothing, or if its direction is not known.

    - `settings`: the settings of the callback.
    - `hooks`: the fit's rows of `hooks`.
    """
    key = settings.attributes.get("monitor")
    if not isinstance(key, str):
        return None
    sign = direction(key, settings.attributes.get("mode"))
    calls = settings.calls(hooks, "on_epoch_end")
    ends = calls[calls["epoch"].notna().to_numpy(bool)]
    logs = zip(ends["epoch"].tolist(), ends["logs_before"].tolist(), strict=True)
    values = sorted((int(epoch), given[key]) for epoch, given in logs if isinstance(given.get(key), float))
    return Monitored(key, sign, values) if sign and values else None


def direction(key: str, mode: object) -> int:
    """1 if larger values of a key are better, -1 if smaller ones are, 0 if that is not known.

    `mode` is the callback's, `min`, `max` or `auto`.

    >>> direction("val_loss", "auto"), direction("accuracy", "auto"), direction("score", "auto"), direction("x", "max")
    (-1, 1, 0, 1)
    """
    if mode in ("min", "max"):
        return 1 if mode == "max" else -1
    return -1 if _FALLS.search(key) else 1 if _GROWS.search(key) else 0


def stops_early(seen: Monitored, patience: float, min_delta: float) -> int | None:
    """The epoch at which a new `EarlyStopping` would stop; None if it would not.

    Source: `EarlyStopping.on_epoch_end`.
    """
    best, wait = None, 0
    for epoch, value in seen.values:
        wait += 1
        if seen.improves(value, best, min_delta):
            best, wait = value, 0
        elif wait >= patience and epoch > 0:
            return epoch
    return None


def reductions(seen: Monitored, patience: float, min_delta: float, cooldown: float) -> Iterator[int]:
    """The epochs at whose end a `ReduceLROnPlateau` lowers the learning rate.

    Source: `ReduceLROnPlateau.on_epoch_end`.
    """
    best, wait, cooling = None, 0, 0.0
    for epoch, value in seen.values:
        if cooling > 0:
            cooling -= 1
            wait = 0
        if seen.improves(value, best, min_delta):
            best, wait = value, 0
        elif cooling <= 0:
            wait += 1
            if wait >= patience:
                yield epoch
                cooling, wait = cooldown, 0


def numbers(settings: CallbackSettings, names: Iterable[str]) -> list[float] | None:
    """The settings of these names; None if one is missing or is no number."""
    values = [settings.attributes.get(name) for name in names]
    found = [value for value in values if isinstance(value, float)]
    return found if len(found) == len(values) else None
