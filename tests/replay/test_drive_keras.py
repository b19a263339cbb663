"""The callbacks of Keras 3 and tf_keras, driven over a recorded run."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import fittrace
from fittrace.replay import AbsentInput, CallbackFailed

REFERENCE = Path(__file__).parent.parent.parent / "traces" / "reference-keras-3"


@pytest.fixture(scope="module")
def trace() -> fittrace.Trace:
    return fittrace.open(REFERENCE)


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def keras(request: pytest.FixtureRequest) -> Any:
    return importlib.import_module(request.param)


def compiled(keras: Any) -> Any:
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    return model


def test_early_stopping_as_in_the_run_stops_where_the_run_did(trace: fittrace.Trace, keras: Any) -> None:
    callback = keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=0.02, patience=1)
    driven = fittrace.drive(trace, [callback])
    assert driven.stop is not None
    assert callback.stopped_epoch == driven.stop.last_epoch == trace.hooks().epoch.max()
    assert (driven.stop.callback, driven.stop.hook) == ("EarlyStopping", "on_epoch_end")


def test_another_patience_stops_elsewhere(trace: fittrace.Trace, keras: Any) -> None:
    stop = fittrace.drive(trace, [keras.callbacks.EarlyStopping(min_delta=0.1, patience=0)]).stop
    losses = (
        trace.hooks().query("hook == 'on_epoch_end' and position == 0").logs_before.map(lambda logs: logs["val_loss"])
    )
    first = next(n for n in range(1, 6) if losses.iloc[n] > losses.iloc[n - 1] - 0.1)
    assert stop is not None
    assert (stop.last_epoch, stop.last_batch) == (first, None)
    assert fittrace.drive(trace, [keras.callbacks.EarlyStopping(patience=3)]).stop is None


def test_terminate_on_nan_and_history_need_no_model(trace: fittrace.Trace, keras: Any) -> None:
    history = keras.callbacks.History()
    driven = fittrace.drive(trace, [keras.callbacks.TerminateOnNaN(), history])
    assert driven.stop is None
    assert history.history == driven.history.to_dict("list")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda c, at: c.EarlyStopping(restore_best_weights=True), "weights"),
        (lambda c, at: c.ModelCheckpoint(str(at / "m.weights.h5"), save_weights_only=True), "(weights|the model)"),
        (lambda c, at: c.ModelCheckpoint(str(at / "m.keras")), "(weights|the model)"),
        (lambda c, at: c.ReduceLROnPlateau(), "the optimizer"),
    ],
)
def test_what_they_need_of_a_model_is_told(
    trace: fittrace.Trace, keras: Any, make: Callable[[Any, Path], Any], what: str, tmp_path: Path
) -> None:
    with pytest.raises(CallbackFailed, match=f"at epoch 0: model.*: a trace does not hold {what}; give") as failed:
        fittrace.drive(trace, [make(keras.callbacks, tmp_path)])
    assert isinstance(failed.value.__cause__, AbsentInput)


def test_with_a_model_they_work(trace: fittrace.Trace, keras: Any, tmp_path: Path) -> None:
    model = compiled(keras)
    best = tmp_path / "best.weights.h5"
    callbacks = [
        keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(str(best), save_weights_only=True, save_best_only=True),
        keras.callbacks.ReduceLROnPlateau(min_delta=0.05, patience=1, factor=0.5, mode="min"),
    ]
    driven = fittrace.drive(trace, callbacks, model=model)
    assert driven.stop is None
    assert best.exists()
    rates = next(driven.history[key] for key in ("learning_rate", "lr") if key in driven.history)
    # In epoch 4 `val_loss` falls by less than 0.05: that halves the rate, of which the next epoch's logs tell.
    assert list(rates) == [0.5] * 5 + [0.25]
    assert float(model.optimizer.learning_rate.numpy()) == 0.25


def test_any_object_may_be_the_model(trace: fittrace.Trace, keras: Any) -> None:
    if keras.__version__ < "3":
        pytest.skip("tf_keras takes the rate of a real optimizer alone")
    model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=1.0))
    driven = fittrace.drive(trace, [keras.callbacks.ReduceLROnPlateau(min_delta=0.05, patience=1)], model=model)
    assert model.optimizer.learning_rate == pytest.approx(0.1)
    assert len(driven.history.learning_rate) == 6
