"""Trains with a budget of batches and keeps the best weights by validation loss.

An ordinary training script, which knows nothing of any tracing, and has a fault: the budget is spent in mid-epoch.
"""

import os
import random
import tempfile

import keras
import numpy as np
import tensorflow as tf


class Budget(keras.callbacks.Callback):
    """Ends the training after so many batches."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.model.stop_training = True


def main():
    random.seed(1)
    np.random.seed(1)
    tf.compat.v1.set_random_seed(1)
    x = np.random.rand(320, 8).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(8,))])
    model.compile("sgd", "mse")
    with tempfile.TemporaryDirectory() as folder:
        best = keras.callbacks.ModelCheckpoint(os.path.join(folder, "best.h5"), save_best_only=True)
        history = model.fit(
            x, y, batch_size=32, epochs=5, verbose=0, validation_split=0.2, callbacks=[Budget(20), best]
        )
    print({key: len(values) for key, values in history.history.items()})


if __name__ == "__main__":
    main()
