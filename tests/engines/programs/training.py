"""Trains in many ways on the engine that the first argument names, and writes down what it saw into the file SEEN.

Python 3.7 and every Keras: what differs between the engines is in `engine` alone.
"""

import hashlib
import json
import os
import random
import sys
import threading

import numpy as np


def engine(name):
    if name == "tf_keras-v1":
        import tensorflow as tf

        tf.compat.v1.disable_v2_behavior()
    if name.startswith("tf_keras"):
        import tf_keras as keras
    elif name == "tf.keras":
        from tensorflow import keras
    else:
        import keras
    import tensorflow as tf

    if tf.executing_eagerly():
        keras.utils.set_random_seed(3)
    else:
        random.seed(3)
        np.random.seed(3)
        tf.compat.v1.set_random_seed(3)
    if tf.__version__ < "2":
        # On more than one thread TensorFlow 1 adds floats up in an order of its own.
        one = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        set_session = getattr(keras.backend, "set_session", None) or keras.backend.tensorflow_backend.set_session
        set_session(tf.compat.v1.Session(config=one))
    return keras


ENGINE = sys.argv[1]
keras = engine(ENGINE)
SEEN = {"fits": [], "weights": None}


class Witness(keras.callbacks.Callback):
    """Writes down every hook that it is given, and its logs at the end of epochs; adds a key to them."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.hooks = []
        self.stop_at = stop_at

    def note(self, hook, number=None):
        self.hooks.append([hook, number, threading.current_thread().name])

    def on_train_begin(self, logs=None):
        self.note("on_train_begin")

    def on_train_end(self, logs=None):
        self.note("on_train_end")

    def on_epoch_begin(self, epoch, logs=None):
        self.note("on_epoch_begin", epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.note("on_epoch_end", epoch)
        logs["extra"] = float(epoch)

    # Keras 2.2 calls these; later ones call `on_train_batch_*`, whose default calls these.
    def on_batch_begin(self, batch, logs=None):
        self.note("batch_begin", batch)

    def on_batch_end(self, batch, logs=None):
        self.note("batch_end", batch)
        if self.stop_at == batch:
            self.model.stop_training = True


def network():
    # One layer: with two, Keras 2.2 may read the weights of the second for a gradient before or after it has set them.
    model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(6,))])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def data(count=50):
    source = np.random.RandomState(5)
    return source.rand(count, 6).astype("float32"), source.rand(count, 1).astype("float32")


def fit(scenario, model, method="fit", witness=None, **arguments):
    """One fit; what its witness saw."""
    witness = witness or Witness()
    history = getattr(model, method)(verbose=0, callbacks=[witness], **arguments)
    told = {key: [float(value) for value in values] for key, values in history.history.items()}
    SEEN["fits"].append({"scenario": scenario, "hooks": witness.hooks, "history": told})


def batches(x, y, size):
    while True:
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]


def main():
    x, y = data()
    model = network()
    fit("validating", model, x=x, y=y, batch_size=16, epochs=2, validation_data=data(20))
    fit("splitting", model, x=x, y=y, batch_size=16, epochs=1, validation_split=0.2, shuffle=False)
    if ENGINE != "keras-3":
        fit("batch_shuffle", model, x=x, y=y, batch_size=16, epochs=1, shuffle="batch")
    fit("stopping", model, witness=Witness(stop_at=1), x=x, y=y, batch_size=16, epochs=3, validation_data=data(20))
    generator = "fit_generator" if hasattr(model, "fit_generator") and ENGINE == "keras" else "fit"
    argument = {"generator" if generator == "fit_generator" else "x": batches(x, y, 10)}
    fit("generator", model, method=generator, epochs=2, steps_per_epoch=3, **argument)
    model.evaluate(x, y, batch_size=16, verbose=0)
    model.predict(x, batch_size=16, verbose=0)
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    SEEN["weights"] = digest.hexdigest()
    SEEN["random"] = [random.random(), float(np.random.rand())]
    print("done")


main()
with open(os.environ["SEEN"], "w") as file:
    json.dump(SEEN, file)
