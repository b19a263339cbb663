"""Rules on callbacks that are set otherwise than meant: each finds what it is for, and nothing in what is nearly so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from fittrace.analysis.rules.callback_list_rules import (
    best_of_another_fit,
    callback_twice,
    learning_rate_overwritten,
)
from fittrace.analysis.rules.epoch_mean_rules import bar_average
from fittrace.analysis.rules.epoch_time_rules import histograms_validate_again, profiled_batch
from fittrace.analysis.rules.saving_rules import csv_columns, save_freq_in_batches

from .rows import FIT, LOSSY, MS, NO_VALUES, PROCESS, batches, hook, hooks, settings, stop, stops, told

SECOND = FIT.copy()
SECOND["fit"] = 1


def ends(callback: str, values: Sequence[float | None], key: str = "loss", **more: Any) -> list[dict[str, Any]]:
    """The ends of epochs as one callback sees them, which logs `key`."""
    logs = [{} if value is None else {key: value} for value in values]
    more.setdefault("position", 1)
    return [
        hook("on_epoch_end", callback, epoch, logs_before=seen, logs_after=seen, parent=20 + epoch, **more)
        for epoch, seen in enumerate(logs)
    ]


def test_a_callback_that_is_in_the_list_twice() -> None:
    begin, values = settings("Mine", position=2, same_as=0)
    found = list(callback_twice.find(hooks([begin]), pd.DataFrame(values)))
    assert told(found) == ["is in the list twice, at positions 0 and 2, as one object"] and found[0].callback == "Mine"
    begin, values = settings("Mine", position=2, patience=0)
    assert told(callback_twice.find(hooks([begin]), pd.DataFrame(values))) == []


PLATEAU: dict[str, Any] = {"monitor": "loss", "mode": "auto", "factor": 0.1, "patience": 2, "min_delta": 1e-4}
PLATEAU |= {"cooldown": 0, "min_lr": 0}


@pytest.mark.parametrize(
    ("losses", "rates", "said"),
    [
        ([1, 1, 1, 1], [0.1, 0.1, 0.1, 0.1], 1),
        ([1, 1, 1, 1], [0.1, 0.1, 0.1, 0.01], 0),  # it stays as it was lowered
        ([1, 1, 1, 1], [0.1, 0.1, 0.1, 0.005], 0),  # the schedule lowers it too
        ([4, 3, 2, 1], [0.1, 0.1, 0.1, 0.1], 0),  # there is progress
        ([1, 1, 1], [0.1, 0.1, 0.1], 0),  # no epoch follows
    ],
)
def test_a_learning_rate_that_is_set_back(losses: list[float], rates: list[float], said: int) -> None:
    def find(*others: dict[str, Any], process: pd.Series = PROCESS) -> list[str]:
        begin, values = settings("ReduceLROnPlateau", **PLATEAU)
        rows = [
            hook(
                "on_epoch_end", "ReduceLROnPlateau", epoch, position=1, parent=20 + epoch,
                logs_before={"loss": float(loss)}, logs_after={"loss": float(loss), "learning_rate": rate},
            )
            for epoch, (loss, rate) in enumerate(zip(losses, rates, strict=True))
        ]  # fmt: skip
        return told(learning_rate_overwritten.find(process, hooks([begin, *others, *rows]), pd.DataFrame(values)))

    scheduler = hook("on_train_begin", "LearningRateScheduler", parent=3, position=0)
    text = "lowers the learning rate to 0.01, and LearningRateScheduler sets it to 0.1 as epoch 3 begins"
    assert find(scheduler) == [text] * said
    assert find() == find(scheduler, process=LOSSY) == []


STOPPING = {"monitor": "loss", "mode": "auto", "patience": 2, "min_delta": 0, "baseline": "None", "best": 0.5}


@pytest.mark.parametrize(
    ("losses", "more", "said"),
    [
        ([9, 8, 7], {}, 1),
        ([9, 9, 9], {}, 0),  # a new one stops too
        ([9, 8, 7], {"baseline": 3.0}, 0),  # it may compare with that
        ([9, 8, 7], {"monitor": "score"}, 0),  # nobody knows whether more is better
        ([9, 8, 7], {"monitor": "score", "mode": "min"}, 1),
        ([7, 8, 9], {"mode": "max"}, 1),
    ],
)
def test_a_stop_by_the_best_of_another_fit(losses: list[float], more: dict[str, Any], said: int) -> None:
    begin, values = settings("EarlyStopping", **{**STOPPING, **more})
    rows = [begin, *ends("EarlyStopping", [float(loss) for loss in losses], str(more.get("monitor", "loss")))]
    made = stops(stop("True", "EarlyStopping", epoch=2))
    find = best_of_another_fit.find
    found = told(find(SECOND, PROCESS, hooks(rows), pd.DataFrame(values), made))
    assert [text.endswith("; it compares with 0.5, of an earlier fit") for text in found] == [True] * said
    assert told(find(FIT, PROCESS, hooks(rows), pd.DataFrame(values), made)) == []
    assert told(find(SECOND, PROCESS, hooks(rows), pd.DataFrame(values), stops())) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"best": 0.5}, ["saves nothing: the best loss of this fit is 1; it compares with 0.5, of an earlier fit"]),
        ({"best": 1.5}, []),
        ({"best": float("inf")}, []),
        ({"best": 0.5, "initial_value_threshold": 0.5}, []),
        ({"best": 0.5, "save_best_only": 0}, []),
        ({}, []),
    ],
)
def test_a_checkpoint_with_the_best_of_another_fit(more: dict[str, Any], said: list[str]) -> None:
    begin, values = settings("ModelCheckpoint", **{"monitor": "loss", "mode": "auto", "save_best_only": 1, **more})
    rows = hooks([begin, *ends("ModelCheckpoint", [3.0, 1.0, 2.0])])
    assert told(best_of_another_fit.find(SECOND, PROCESS, rows, pd.DataFrame(values), stops())) == said


@pytest.mark.parametrize(
    ("every", "said"),
    [
        (160, ["saves every 160 batches, first in epoch 3, batch 9, then every 3.2 epochs (save_freq=160)"]),
        (100, []),  # each second epoch
        (32, []),  # in each epoch
        (57, []),  # no number of batch sizes
        (1_000, ["saves every 1000 batches, never: the fit has 200 batches (save_freq=1000)"]),
        ("epoch", []),
    ],
)
def test_a_save_freq_in_batches(every: float | str, said: list[str]) -> None:
    begin, values = settings("ModelCheckpoint", save_freq=every, save_weights_only=1)
    rows = batches(4, 50, size=32)
    assert told(save_freq_in_batches.find(PROCESS, rows, hooks([begin]), pd.DataFrame(values))) == said
    assert told(save_freq_in_batches.find(LOSSY, rows, hooks([begin]), pd.DataFrame(values))) == []
    without = rows.drop(columns="size")
    assert told(save_freq_in_batches.find(PROCESS, without, hooks([begin]), pd.DataFrame(values))) == said


def test_columns_of_a_csv_file() -> None:
    def find(*keys: str, engine: str = "keras-3") -> list[str]:
        logs = [dict.fromkeys(of.split(), 1.0) for of in keys]
        rows = [hook("on_epoch_end", "CSVLogger", epoch, logs_before=seen) for epoch, seen in enumerate(logs)]
        fit = FIT.copy()
        fit["engine"] = engine
        return told(csv_columns.find(fit, PROCESS, hooks(rows)))

    assert find("loss", "loss") == ["writes val_loss, which no epoch's logs have"]
    assert find("loss", "loss", engine="keras-2.2") == []
    assert find("loss val_loss", "loss val_loss") == []
    assert find("loss", "loss val_loss") == []  # validated every second epoch: the column is there
    left_out = "which the first epoch's logs do not have"
    assert find("loss", "loss val_loss", engine="keras-2.2") == [f"leaves out val_loss, {left_out}"]
    assert find("loss val_loss", "loss score val_loss") == [f"leaves out score, {left_out}"]
    assert find("") == []


def test_a_batch_that_is_profiled() -> None:
    def find(longest: int, callback: str = "TensorBoard") -> list[str]:
        times = [200_000] * 9 + [longest]
        rows = [hook("on_train_batch_end", callback, 0, batch, duration_ns=time) for batch, time in enumerate(times)]
        return told(profiled_batch.find(hooks(rows)))

    assert find(40 * MS) == ["takes 40 ms, 200 µs in the others"]
    assert find(1 * MS) == find(40 * MS, "Mine") == []
    assert told(profiled_batch.find(hooks([hook("on_epoch_end", "TensorBoard")]))) == []


def test_histograms_that_validate_again() -> None:
    begin, values = settings("TensorBoard", histogram_freq=1)
    rows = hooks([begin, *ends("TensorBoard", [1.0, 1.0], duration_ns=20 * MS)])
    fit = FIT.copy()
    fit["engine"] = "keras-2.2"

    def find(validation_ms: int, fit: pd.Series = fit) -> list[str]:
        spans = pd.DataFrame({"phase": ["validation"], "callback": [None], "duration_ns": [validation_ms * MS]})
        return told(histograms_validate_again.find(fit, rows, spans, pd.DataFrame(values)))

    assert find(10) == ["takes 20 ms an epoch, 4.0 times the validation (histogram_freq=1)"]
    assert find(100) == find(10, FIT) == []


def test_a_key_that_the_bar_averages() -> None:
    def find(version: str, values: Sequence[float], adding: str = "Count") -> list[str]:
        rows = []
        for batch, value in enumerate(values):
            logs = {"loss": 1.0, "step": value}
            rows.append(hook("on_train_batch_end", adding, 0, batch, changed=["step"], logs_before={"loss": 1.0}))
            rows.append(hook("on_train_batch_end", "ProgbarLogger", 0, batch, logs_before=logs))
        fit = FIT.copy()
        fit["engine_version"] = version
        return told(bar_average.find(fit, hooks(rows)))

    assert find("3.6.0", [0.0, 1.0, 2.0]) == ["shows about 1 for step, whose last value is 2, of Count"]
    assert (
        find("3.15.1", [0.0, 1.0, 2.0]) == find("3.6.0", [2.0, 2.0]) == find("3.6.0", [0.0, 1.0], "TensorBoard") == []
    )
    assert told(bar_average.find(FIT, hooks([hook("on_epoch_end")]))) == []


def test_without_settings_nothing_is_said() -> None:
    rows = hooks([hook("on_epoch_end", "EarlyStopping")])
    assert told(callback_twice.find(rows, NO_VALUES)) == []
    assert told(best_of_another_fit.find(SECOND, PROCESS, rows, NO_VALUES, stops())) == []
    assert told(save_freq_in_batches.find(PROCESS, batches(), rows, NO_VALUES)) == []
    assert told(learning_rate_overwritten.find(PROCESS, rows, NO_VALUES)) == []
