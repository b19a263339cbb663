"""Every engine: the trace holds what the program saw, and the program saw what it would have seen without."""

from __future__ import annotations

import pytest
from named_rows import named_rows

from .conftest import Trained

pytestmark = pytest.mark.slow

SCENARIOS = ["validating", "splitting", "stopping", "generator", "learning_phase", "in_steps"]
scenarios = pytest.mark.parametrize("scenario", SCENARIOS)


def test_nothing_changed(trained: Trained) -> None:
    assert trained.traced.seen == trained.plain.seen
    assert trained.traced.stdout == trained.plain.stdout


def test_every_fit_names_its_engine(trained: Trained) -> None:
    fits = trained.trace.fits()
    assert set(fits.engine) == {trained.engine.name}
    if trained.engine.version:
        assert set(fits.engine_version) == {trained.engine.version}


def test_nothing_of_the_table_is_missing(trained: Trained) -> None:
    assert trained.trace.notes().empty, trained.trace.notes().message.tolist()


@scenarios
def test_hooks_are_those_that_the_callback_saw(trained: Trained, scenario: str) -> None:
    fit, seen = trained.fit(scenario)
    hooks = trained.of("hooks", fit, callback="Witness")
    told = []
    for row in named_rows(hooks):
        if row.hook.startswith(("on_test", "on_predict")):
            continue  # the witness does not override these
        number = row.epoch if "epoch" in row.hook else row.batch if "batch" in row.hook else None
        name = row.hook.replace("on_train_batch", "on_batch").replace("on_batch", "batch")
        told.append([name, number, row.thread])
    assert told == seen["hooks"]


@scenarios
def test_logs_of_epochs_are_the_history(trained: Trained, scenario: str) -> None:
    fit, seen = trained.fit(scenario)
    hooks = trained.of("hooks", fit, hook="on_epoch_end")
    last = hooks.sort_values(["epoch", "position"]).groupby("epoch").tail(1)
    told: dict[str, list[float]] = {}
    for logs in last.logs_after:
        for key, value in logs.items():
            told.setdefault(key, []).append(value)
    assert told.keys() == seen["history"].keys()
    for key, values in seen["history"].items():
        assert told[key] == pytest.approx(values, rel=1e-6), key


def test_what_callbacks_do_to_the_logs_is_seen(trained: Trained) -> None:
    fit, _ = trained.fit("validating")
    hooks = trained.of("hooks", fit, hook="on_epoch_end")
    changed = {row.callback: row.changed for row in named_rows(hooks) if row.changed}
    assert changed.pop("Witness") == ["extra"]
    # The mean over an epoch is the work of a callback in Keras 2.
    averages = changed.pop("BaseLogger", [])
    assert "loss" in averages or trained.engine.name != "keras-2.2"
    assert not changed


def test_time_adds_up(trained: Trained) -> None:
    total = trained.trace.spans().groupby("fit").self_ns.sum()
    fits = trained.trace.fits().set_index("fit").duration_ns
    assert total.to_dict() == fits.to_dict()


@pytest.mark.parametrize(
    ("scenario", "stage", "epoch", "sizes"),
    [
        ("validating", "train", 1, [16, 16, 16, 2]),
        ("validating", "test", 1, [16, 4]),
        ("splitting", "train", 0, [16, 16, 8]),
        ("splitting", "test", 0, [10]),
        ("stopping", "train", 0, [16, 16]),
    ],
)
def test_batches_have_their_sizes(trained: Trained, scenario: str, stage: str, epoch: int, sizes: list[int]) -> None:
    fit, _ = trained.fit(scenario)
    batches = trained.of("batches", fit, stage=stage, epoch=epoch)
    assert batches.batch.tolist() == list(range(len(sizes)))
    assert batches["size"].tolist() == sizes


def test_a_stop_in_mid_epoch_skips_validation_in_keras_2_2_alone(trained: Trained) -> None:
    """keras-team/keras#12268."""
    fit, _ = trained.fit("stopping")
    stages = set(trained.of("batches", fit).stage)
    skips = trained.engine.name == "keras-2.2" or trained.engine.name == "tf-keras-v1"
    assert stages == ({"train"} if skips else {"train", "test"})


def test_evaluate_and_predict_alone_are_fits_of_their_own(trained: Trained) -> None:
    fits = trained.trace.fits()
    assert fits.method.tolist()[-2:] == ["evaluate", "predict"]
    for fit in fits.fit.tail(2):
        batches = trained.of("batches", fit)
        assert batches["size"].tolist() == [16, 16, 16, 2]
        assert batches.epoch.isna().all()
