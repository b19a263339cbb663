"""Rules on the data of a fit and on its epochs: each finds what it is for, and nothing in what is nearly so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fittrace.analysis.rules.comparison_rules import (
    epoch_loss_of_last_batch,
    sorted_validation_split,
    validated_on_training_data,
)
from fittrace.analysis.rules.data_end_rules import data_ran_out, endless_validation, validation_ran_out
from fittrace.analysis.rules.epoch_time_rules import gaps_between_epochs, runs_eagerly

from .rows import FIT, LOSSY, MS, NO_VALUES, PROCESS, batches, hook, hooks, logged, stop, stops, told, value

FITTED = pd.concat([FIT, pd.Series({"method": "fit"})])


def of_epochs(counts: Sequence[int], stage: str = "train") -> pd.DataFrame:
    """Batches of epochs with so many each."""
    epochs = [epoch for epoch, count in enumerate(counts) for _ in range(count)]
    numbers = [batch for count in counts for batch in range(count)]
    table = {"stage": stage, "epoch": epochs, "batch": numbers, "last_batch": numbers, "start_ns": range(len(epochs))}
    frame: pd.DataFrame = pd.DataFrame(table | {"span": range(len(epochs))})
    return frame


@pytest.mark.parametrize(
    ("counts", "steps", "epochs", "said"),
    [
        ([5, 2, 2], 5, 3, "epoch 1 has 2 of 5 batches: the data ran out, and in 1 later epoch"),
        ([5, 0, 5, 0], 5, 4, "epoch 1 has 0 of 5 batches: the data ran out, and in 1 later epoch"),
        ([5, 2], 5, 4, "epoch 1 has 2 of 5 batches: the data ran out; the fit ends after 2 of 4 epochs"),
        ([4, 4, 2], None, 4, "epoch 2 has 2 of 4 batches: the data ran out; the fit ends after 3 of 4 epochs"),
        ([4, 4, 0], None, 3, "epoch 2 has 0 of 4 batches: the data ran out"),
        ([5, 5], 5, 2, None),
        ([4, 6, 5], None, 3, None),  # data of different length
        ([4, 3, 4], None, 3, None),
    ],
)
def test_data_that_run_out(counts: list[int], steps: int | None, epochs: int, said: str | None) -> None:
    given = [value("steps_per_epoch", steps), value("epochs", float(epochs))]
    rows = hooks([hook("on_epoch_begin", epoch=epoch) for epoch in range(len(counts))])

    def find(fit: pd.Series = FITTED, process: pd.Series = PROCESS, stopped: pd.DataFrame | None = None) -> list[str]:
        stopped = stops() if stopped is None else stopped
        return told(data_ran_out.find(fit, process, of_epochs(counts), rows, stopped, pd.DataFrame(given)))

    assert find() == ([said] if said else [])
    failed = FITTED.copy()
    failed["status"] = "error"
    assert find(fit=failed) == find(process=LOSSY) == find(stopped=stops(stop("True"))) == []


def test_several_steps_in_a_batch_are_counted() -> None:
    rows = of_epochs([2, 2]).assign(last_batch=[2, 4, 2, 4], batch=[0, 3, 0, 3])
    values = pd.DataFrame([value("steps_per_epoch", 5.0), value("epochs", 2.0)])
    begins = hooks([hook("on_epoch_begin", epoch=epoch) for epoch in range(2)])
    assert told(data_ran_out.find(FITTED, PROCESS, rows, begins, stops(), values)) == []


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([3, 0, 0], "the validation of epoch 1 has 0 of 3 batches: its data ran out, and in 1 later epoch"),
        ([3, 2], "the validation of epoch 1 has 2 of 3 batches: its data ran out"),
        ([3, 3], None),
        ([3, 4], None),
        ([3], None),
    ],
)
def test_a_validation_that_runs_out(counts: list[int], said: str | None) -> None:
    spans = pd.DataFrame({"phase": "validation", "callback": None, "epoch": range(len(counts))})
    found = validation_ran_out.find(FITTED, PROCESS, of_epochs(counts, "test"), spans)
    assert told(found) == ([said] if said else [])
    assert told(validation_ran_out.find(FITTED, LOSSY, of_epochs(counts, "test"), spans)) == []


def test_a_validation_without_end() -> None:
    def find(train: int, test: int, status: str = "unfinished", steps: float | None = None) -> list[str]:
        rows = pd.concat([of_epochs([train]), of_epochs([test], "test").assign(start_ns=range(1000, 1000 + test))])
        fit = FITTED.copy()
        fit["status"] = status
        return told(endless_validation.find(fit, rows, pd.DataFrame([value("validation_steps", steps)])))

    assert find(3, 400) == ["the validation had 400 batches and had not ended; validation_steps is not given"]
    assert find(300, 400) == find(3, 50) == find(3, 400, "ok") == find(3, 400, steps=500.0) == []


def test_a_validation_on_the_training_data() -> None:
    assert len(told(validated_on_training_data.find(FIT, pd.DataFrame([value("validation_data.is_x", 1.0)])))) == 1
    assert told(validated_on_training_data.find(FIT, NO_VALUES)) == []


@pytest.mark.parametrize(
    ("logs", "split", "said"),
    [
        ({"acc": 1.0, "val_acc": 0.0}, 0.25, 1),
        ({"accuracy": 0.9, "val_accuracy": 0.01}, 0.1, 1),
        ({"accuracy": 0.9, "val_accuracy": 0.3}, 0.1, 0),
        ({"accuracy": 0.2, "val_accuracy": 0.0}, 0.1, 0),
        ({"accuracy": 0.9, "val_accuracy": 0.0}, 0.0, 0),
        ({"loss": 0.9, "val_loss": 0.0}, 0.1, 0),
    ],
)
def test_a_split_of_sorted_data(logs: dict[str, float], split: float, said: int) -> None:
    rows = hooks([hook("on_epoch_end", epoch=0, logs_before={}), hook("on_epoch_end", epoch=1, logs_before=logs)])
    found = told(sorted_validation_split.find(FIT, rows, pd.DataFrame([value("validation_split", split)])))
    assert len(found) == said
    assert all(f"takes the last {100 * split:g} % of the samples, unshuffled" in text for text in found)


OWN = pd.DataFrame([value("model.train_step.file", text="/me/train.py"), value("model.train_step.line", 7.0)])


@pytest.mark.parametrize(
    ("losses", "end", "said"),
    [
        ([64, 49, 36, 25, 16, 9], 9, "loss is 9, that of the last batch; the mean of the 6 batches is 33.1667"),
        ([64, 49, 36, 25], 0, "loss is 0 at the end of the epoch, and 25 in its last batch: no metric was updated"),
        ([64, 56.5, 49.7, 43.5], 43.5, None),  # running means
        ([64, 49, 36, 25], 43.5, None),  # another engine's mean
        ([3, 3, 3, 3], 3, None),
    ],
)
def test_an_epoch_with_the_loss_of_its_last_batch(losses: list[float], end: float, said: str | None) -> None:
    rows = logged("Mine", [float(loss) for loss in losses], float(end))
    found = told(epoch_loss_of_last_batch.find(FIT, PROCESS, rows, OWN))
    assert found == ([f"{said} (train_step at train.py:7)"] if said else [])
    assert told(epoch_loss_of_last_batch.find(FIT, PROCESS, rows, NO_VALUES)) == []


def test_gaps_between_epochs() -> None:
    def find(first_ms: int, fit_ms: int = 4_000, **more: Any) -> list[str]:
        times = np.full(200, 2 * MS)
        times[::50] = first_ms * MS
        return told(gaps_between_epochs.find(fit_of(fit_ms), batches(4, 50, duration_ns=times, **more)))

    def fit_of(ms: int) -> pd.Series:
        fit: pd.Series = FIT.copy()
        fit["duration_ns"] = ms * MS
        return fit

    assert find(600) == ["the first batch of an epoch takes 600 ms, the others 2 ms: 45 % of the fit"]
    assert find(3) == find(100) == find(600, fit_ms=40_000) == []
    assert find(600, retraced=pd.array([True] * 200, "boolean")) == []
    assert told(gaps_between_epochs.find(FIT, batches(1, 50))) == []


def test_a_fit_that_runs_eagerly() -> None:
    eager = pd.DataFrame([value("compile.run_eagerly", 1.0)])
    slow = batches(4, 50, function_ns=np.full(200, 20 * MS), duration_ns=np.full(200, 21 * MS))
    fit = FIT.copy()
    fit["duration_ns"] = 5_000 * MS
    assert told(runs_eagerly.find(fit, slow, eager)) == ["run_eagerly=True: 20 ms a batch"]
    assert told(runs_eagerly.find(fit, slow, pd.DataFrame([value("compile.run_eagerly", 0.0)]))) == []
    assert told(runs_eagerly.find(fit, slow, NO_VALUES)) == []
    assert told(runs_eagerly.find(FIT, slow, eager)) == []  # it is little of the fit
