"""A program with callbacks and, where the engine has one, a training step of its own; under `sys.settrace` on demand.

The first argument names the engine, as flows_of.py says. Python 3.7 and every Keras.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from typing import Any

import flows_of
import numpy as np

keras = flows_of.engine(sys.argv[1])


def counted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def counting(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return counting


class Base(keras.callbacks.Callback):  # type: ignore[name-defined]  # which Keras, an argument says
    def __init__(self) -> None:
        super().__init__()
        self.batches = self.epochs = 0
        self.best: Any = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """A docstring is no step."""
        self.epochs += 1


class Mine(Base):
    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        names = [name for name in dir(self) if name.startswith("on_")]
        self.count = len(names)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        for number in range(3):
            if number == epoch:
                continue
            if number > 1:
                break
        else:
            self.batches = -1

    @counted
    def on_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        try:
            loss = logs["no such key"]
        except KeyError:
            loss = float(logs["loss"])
        finally:
            self.batches += 1
        self.best = loss if self.best is None else min(self.best, loss)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        with contextlib.suppress(ValueError):
            if epoch == 1:
                raise ValueError("swallowed")
            self.best = self.best + 1
        ends = lambda: self.epochs > 1  # noqa: E731
        while not ends():  # type: ignore[no-untyped-call]  # mypy takes every lambda for untyped
            self.epochs = 2
        if epoch == 1:
            return
        self.last = {key: len(key) for key in logs}


def local() -> Any:
    seen = []

    class Local(keras.callbacks.Callback):  # type: ignore[name-defined]  # which Keras, an argument says
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            seen.append(epoch)
            total = 0
            total += sum(seen)

    return Local()


def stepping() -> Any:
    class Stepping(keras.Model):  # type: ignore[name-defined]  # which Keras, an argument says
        def __init__(self) -> None:
            super().__init__()
            self.layer = keras.layers.Dense(1)

        def call(self, x: np.ndarray) -> Any:
            return self.layer(x)

        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            if "mae" in logs:
                logs = dict(logs)
            return logs

    model = Stepping()
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    return model


def main() -> None:
    source = np.random.RandomState(5)
    x, y = source.rand(40, 6).astype("float32"), source.rand(40, 1).astype("float32")
    model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(6,))])
    model.compile("sgd", "mse")
    given = {"batch_size": 16, "verbose": 0}
    flows_of.seen("callbacks", lambda: model.fit(x, y, epochs=3, callbacks=[Mine(), local()], **given))
    if sys.argv[1] in ("keras-3", "tf_keras"):
        eager = stepping()
        flows_of.seen("a step", lambda: eager.fit(x, y, epochs=2, validation_data=(x, y), **given))


main()
flows_of.write()
