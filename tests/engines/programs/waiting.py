"""Fits that wait for data, in the ways that pipelines make them wait: `waiting.py ENGINE`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

if sys.argv[1] == "tf_keras":
    import tf_keras as keras
else:
    import keras


def slow(number: int) -> Any:
    time.sleep(0.002)
    return np.float32(number)


def elements(count: int) -> Any:
    mapped = tf.data.Dataset.range(count).map(lambda i: tf.numpy_function(slow, [i], tf.float32), deterministic=True)
    return mapped.map(lambda number: (tf.reshape(number, (1,)), tf.reshape(number, (1,))))


def generator() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for _ in range(8):
        time.sleep(0.004)
        yield np.ones((2, 1), "float32"), np.ones((2, 1), "float32")


model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
model.compile(keras.optimizers.SGD(1e-6), "mse")
for data in (elements(60).batch(2), elements(30).batch(2).prefetch(2), elements(40).shuffle(40).batch(4), generator()):
    model.fit(data, verbose=0)
