"""Trains a small network on a GPU, which the samples beside this file are of.

    program.py keras | tf_keras | tf_keras-v1 [xla]

With `xla` Keras 3 has its step compiled, as it does by itself where there is a GPU.
"""

import importlib
import sys

import numpy as np
import tensorflow as tf


def main(engine: str, *options: str) -> None:
    if engine == "tf_keras-v1":
        tf.compat.v1.disable_v2_behavior()
    keras = importlib.import_module("tf_keras" if engine.startswith("tf_keras") else "keras")
    if not tf.test.gpu_device_name():
        sys.exit("no GPU here, or none that this TensorFlow can use")
    layers = keras.layers
    convolution = layers.Conv2D(8, 3, activation="relu", input_shape=(12, 12, 3))
    model = keras.models.Sequential([convolution, layers.Flatten(), layers.Dense(10)])
    more = {"jit_compile": "xla" in options} if engine == "keras" else {}
    if engine == "tf_keras-v1":
        # Of a session fittrace asks nothing that takes the profiler, which alone tells of kernels.
        v1 = tf.compat.v1
        more = {"options": v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE), "run_metadata": v1.RunMetadata()}
    model.compile("sgd", "mse", **more)
    source = np.random.RandomState(0)
    x, y = source.rand(128, 12, 12, 3).astype("float32"), source.rand(128, 10).astype("float32")
    model.fit(x, y, batch_size=32, epochs=1, verbose=0)


main(*sys.argv[1:])
