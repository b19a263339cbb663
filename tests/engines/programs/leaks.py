"""Fits that leak 1 MB an epoch, each elsewhere, and one that does not, on the engine that the argument names.

The file that `SEEN` names gets the hook in which each fit leaks, an empty text for the batches, and null for no leak.
Python 3.7 and every Keras.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from started import engine

ENGINE = sys.argv[1]
tf, keras = engine(ENGINE)
MEGABYTE = 1_000_000 // 8
Callback: Any = keras.callbacks.Callback
kept: list[Any] = []
leaks: list[str | None] = []


def fit(leak: str | None, *given: Any, **arguments: Any) -> None:
    leaks.append(leak)
    made = keras.models.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    made.compile("sgd", "mse")
    made.fit(*given, epochs=10, verbose=0, **arguments)


class Keeping(Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        kept.append(np.ones(MEGABYTE))


class Building(Callback):
    """Makes a function anew in each epoch, and keeps it, with a constant of a megabyte."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        function = tf.function(lambda value: value + tf.constant(np.full(MEGABYTE, epoch + 0.5)))
        function(1.0 + 0 * tf.zeros(MEGABYTE, tf.float64))
        kept.append(function)


def keeping_rows() -> Iterator[tuple[Any, Any]]:
    while True:
        kept.append(np.ones(MEGABYTE // 4))
        yield np.ones((4, 2), "float32"), np.ones((4, 1), "float32")


x, y = np.ones((16, 2), "float32"), np.ones((16, 1), "float32")
fit(None, x, y)
fit("Keeping.on_epoch_end", x, y, callbacks=[Keeping()])
if ENGINE in ("keras-3", "tf_keras"):
    fit("Building.on_epoch_begin", x, y, callbacks=[Building()])
    fit("", keeping_rows(), steps_per_epoch=4)
fit(None, x, y)

with open(os.environ["SEEN"], "w") as file:
    json.dump(leaks, file)
