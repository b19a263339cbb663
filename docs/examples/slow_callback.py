"""Trains a small network with a callback that is slow at each 50th batch: the fault that docs/report.md finds."""

import time

import keras
import numpy as np


class Snapshot(keras.callbacks.Callback):
    """Stands for a callback that now and then writes something large."""

    def on_train_batch_end(self, batch, logs=None):
        if batch % 50 == 49:
            time.sleep(0.05)


keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(6400, 16)).astype("float32")
y = (x.sum(axis=1) > 0).astype("float32")
model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=3, callbacks=[Snapshot()], verbose=0)
