"""TensorBoard(histogram_freq=1) runs the validation data once more in each epoch."""

from __future__ import annotations

import tempfile

import common

keras = common.keras
with tempfile.TemporaryDirectory() as folder:
    board = keras.callbacks.TensorBoard(folder, histogram_freq=1, write_graph=False)
    model = keras.models.Sequential([keras.layers.Dense(32, input_shape=(6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(*common.data(1600), epochs=3, verbose=0, validation_split=0.5, callbacks=[board])
