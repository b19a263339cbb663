"""Trains a small network on a GPU, which the samples beside this file are of.

    program.py keras | tf_keras | tf_keras-v1 [xla | dense]

With `xla` Keras 3 has its step compiled, as it does by itself where there is a GPU; with `dense` nothing is convolved.
It runs on Keras 2.2 and Python 3.7 as well.
"""

import importlib
import sys

import numpy as np
import tensorflow as tf


def main(engine, how=None):
    if engine == "tf_keras-v1":
        tf.compat.v1.disable_v2_behavior()
    keras = importlib.import_module("tf_keras" if engine.startswith("tf_keras") else "keras")
    if not tf.test.gpu_device_name():
        sys.exit("no GPU here, or none that this TensorFlow can use")
    layers = keras.layers
    if how == "dense":
        first, size = [], (20,)
    else:
        first, size = [layers.Conv2D(8, 3, activation="relu", input_shape=(12, 12, 3)), layers.Flatten()], (12, 12, 3)
    more = {"input_shape": size} if how == "dense" else {}
    model = keras.models.Sequential([*first, layers.Dense(10, **more)])
    # Compiled by XLA or not: Keras 2 does not know the word.
    model.compile("sgd", "mse", **({"jit_compile": how == "xla"} if keras.__version__ >= "3" else {}))
    source = np.random.RandomState(0)
    x, y = source.rand(128, *size).astype("float32"), source.rand(128, 10).astype("float32")
    model.fit(x, y, batch_size=32, epochs=1, verbose=0)


main(*sys.argv[1:])
