"""Trains in the ways whose hook order is golden, on the engine that the first argument names; Python 3.7 and every
Keras. Each scenario is one fit, or one call of `evaluate` or `predict`, in the order of `SCENARIOS` in `conftest.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np


def engine(name: str) -> Any:
    if name == "tf_keras-v1":
        import tensorflow as tf

        tf.compat.v1.disable_v2_behavior()
    if name.startswith("tf_keras"):
        import tf_keras as keras
    elif name == "tf.keras":
        from tensorflow import keras
    else:
        import keras
    return keras


keras = engine(sys.argv[1])


class Mine(keras.callbacks.Callback):  # type: ignore[name-defined]  # which Keras, an argument says
    """A user's callback: it has a hook of its own for all that Keras 2.2 knows, and adds a key to an epoch's logs."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__()
        self.stop_at = stop_at

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        pass

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        pass

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.stop_at == batch:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        logs["mine"] = 1.0


def data(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.ones((count, 3), "float32"), np.ones((count, 1), "float32")


def batches(x: np.ndarray, y: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    while True:
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]


x, y = data(6)
model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(3,))])
model.compile("sgd", "mse", metrics=["mae"])
quiet = {"verbose": 0}
plain = dict(quiet, x=x, y=y, batch_size=2, epochs=2)
has_generators = hasattr(model, "fit_generator") and sys.argv[1] == "keras"

# plain
model.fit(callbacks=[Mine()], **plain)
# without callbacks
model.fit(**plain)
# progress bar
model.fit(callbacks=[Mine()], **dict(plain, verbose=2))
# validation
model.fit(callbacks=[Mine()], validation_data=data(4), **plain)
# early stop: nothing gets better by so much
early = keras.callbacks.EarlyStopping(monitor="val_loss", patience=0, min_delta=1e9)
model.fit(callbacks=[Mine(), early], validation_data=data(4), **dict(plain, epochs=5))
# stop in mid-epoch
model.fit(callbacks=[Mine(stop_at=0)], validation_data=data(4), **plain)
# steps per epoch
if has_generators:
    model.fit_generator(batches(x, y, 2), steps_per_epoch=2, epochs=2, callbacks=[Mine()], **quiet)
else:
    model.fit(batches(x, y, 2), steps_per_epoch=2, epochs=2, callbacks=[Mine()], **quiet)
# generator, validated by another
validation = {"validation_data": batches(x, y, 3), "validation_steps": 2}
if has_generators:
    model.fit_generator(batches(x, y, 2), steps_per_epoch=3, epochs=1, callbacks=[Mine()], **dict(quiet, **validation))
else:
    model.fit(batches(x, y, 2), steps_per_epoch=3, epochs=1, callbacks=[Mine()], **dict(quiet, **validation))
# evaluate
model.evaluate(x, y, batch_size=2, verbose=0)
# predict
model.predict(x, batch_size=2, verbose=0)
