"""Trains a small convolutional network on scikit-learn's handwritten digits.

An ordinary training script, which knows nothing of any tracing:

    python digits.py [keras | tf_keras | tf_keras-v1]

It runs on Keras 3 and on Keras 2.2 (both are `keras`), on tf_keras, and on tf_keras' graph mode of TensorFlow 1. What
differs between them is in `engine` and `seed`; the rest is the same for all.
"""

import os
import random
import sys
import tempfile

import numpy as np
from sklearn.datasets import load_digits


def engine(name):
    """The Keras of that name."""
    if name == "tf_keras-v1":
        import tensorflow as tf

        tf.compat.v1.disable_v2_behavior()  # before tf_keras looks at it
    if name in ("tf_keras", "tf_keras-v1"):
        import tf_keras

        return tf_keras
    if name == "keras":
        import keras

        return keras
    sys.exit("digits.py: no engine %s; take keras, tf_keras or tf_keras-v1" % name)


keras = engine(sys.argv[1] if len(sys.argv) > 1 else "keras")


def seed(number):
    """Make the run repeatable: the weights' first values, the shuffling, the dropout."""
    if hasattr(keras.utils, "set_random_seed"):
        keras.utils.set_random_seed(number)
    else:  # Keras 2.2
        random.seed(number)
        np.random.seed(number)
    if "tensorflow" in sys.modules:
        import tensorflow as tf

        if not tf.executing_eagerly():  # a graph has a seed of its own
            tf.compat.v1.set_random_seed(number)


# Keras 3 insists on the one name; tf_keras' graph mode can write only the format of the other.
WEIGHTS = "best.weights.h5" if keras.__version__ >= "3" else "best.h5"


class WorstBatch(keras.callbacks.Callback):
    """Remembers after which batch of an epoch the loss rose the most, and adds it to the epoch's logs.

    Rose, not was highest: most engines log the mean loss since the epoch began, where the first batches would win.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self.last_loss = None
        self.worst_rise = -np.inf
        self.worst_batch = 0

    def on_batch_end(self, batch, logs=None):
        loss = float(logs["loss"])
        if self.last_loss is not None and loss - self.last_loss > self.worst_rise:
            self.worst_rise = loss - self.last_loss
            self.worst_batch = batch
        self.last_loss = loss

    def on_epoch_end(self, epoch, logs=None):
        logs["worst_batch"] = float(self.worst_batch)


def digits():
    """The digits' images, from 0 to 1 and with one channel, and their labels: to train, validate and test with."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).reshape(-1, 8, 8, 1).astype("float32")
    order = np.random.permutation(len(images))
    return [(images[part], labels[part]) for part in np.split(order, [1200, 1500])]


def network():
    """A network of two convolutions."""
    inputs = keras.layers.Input(shape=(8, 8, 1))
    x = keras.layers.Conv2D(32, 3, activation="relu")(inputs)
    x = keras.layers.Conv2D(64, 3, activation="relu")(x)
    x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.25)(x)
    outputs = keras.layers.Dense(10, activation="softmax")(x)
    model = keras.models.Model(inputs, outputs)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main():
    """Train until the validation loss stops falling, then test."""
    seed(8)
    train, validation, test = digits()
    model = network()
    with tempfile.TemporaryDirectory() as folder:
        weights = os.path.join(folder, WEIGHTS)
        model.fit(
            *train,
            batch_size=16,
            epochs=12,
            verbose=2,
            validation_data=validation,
            callbacks=[
                WorstBatch(),
                keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=0.02, patience=1),
                keras.callbacks.ModelCheckpoint(weights, save_best_only=True, save_weights_only=True),
            ],
        )
        model.load_weights(weights)
    _, accuracy = model.evaluate(*test, batch_size=32, verbose=0)
    print("test accuracy: %.3f" % accuracy)


if __name__ == "__main__":
    main()
