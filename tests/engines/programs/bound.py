"""Fits that are each bound by another thing, on the engine that the argument names.

The file that `SEEN` names gets what each fit should be bound by, in order. Python 3.7 and every Keras.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from started import engine

ENGINE = sys.argv[1]
tf, keras = engine(ENGINE)
Callback: Any = keras.callbacks.Callback
ON_FUNCTIONS = ENGINE in ("keras-3", "tf_keras")
bounds: list[str] = []


def model(width: int = 1, layers: int = 1) -> Any:
    hidden = [keras.layers.Dense(width) for _ in range(layers)]
    made = keras.models.Sequential([keras.layers.Dense(width, input_shape=(2,)), *hidden, keras.layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def data(batches: int, size: int = 4) -> tuple[Any, Any]:
    return np.ones((size * batches, 2), "float32"), np.ones((size * batches, 1), "float32")


def fit(bound: str, made: Any, given: tuple[Any, Any], **arguments: Any) -> None:
    bounds.append(bound)
    made.fit(*given, verbose=0, **{"batch_size": 4, "epochs": 3, **arguments})


class Sleeper(Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        time.sleep(0.5)


class BestCheckpoint(Sleeper):
    """A user's own, which saves slowly."""


class Remaking(Callback):
    """Has the function traced anew now and then."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch in (4, 14, 21, 37, 44):
            self.model.make_train_function(force=True)


def slow_generator() -> Iterator[tuple[Any, Any]]:
    while True:
        time.sleep(0.03)
        yield data(1)


def starting_slowly() -> Iterator[tuple[Any, Any]]:
    time.sleep(0.5)
    for _ in range(5):
        yield data(1)


# Its functions are built by the first fit, so that the others are not bound by that.
small = model()
fit("start-up", small, data(4), epochs=1)
fit("callbacks", small, data(30), callbacks=[Sleeper()])
fit("checkpoints", small, data(30), callbacks=[BestCheckpoint()])
fit("validation", small, data(6), validation_data=data(600))
fit("compute", model(1500), data(30, 128), batch_size=128)
bounds.append("input")
if ENGINE == "keras":
    small.fit_generator(slow_generator(), steps_per_epoch=20, epochs=2, verbose=0, workers=0)
else:
    small.fit(slow_generator(), steps_per_epoch=20, epochs=2, verbose=0)
fit("too short", model(), data(1), epochs=1)
if ON_FUNCTIONS:
    bounds.append("gaps between epochs")
    signature = tuple(tf.TensorSpec((4, width), "float32") for width in (2, 1))
    small.fit(tf.data.Dataset.from_generator(starting_slowly, output_signature=signature), epochs=6, verbose=0)
    fit("retracing", model(8, 12), data(50), callbacks=[Remaking()])

with open(os.environ["SEEN"], "w") as file:
    json.dump(bounds, file)
