"""Trains in many ways on the engine that the first argument names, and writes down what it saw into the file SEEN.

Python 3.7 and every Keras: what differs between the engines is in `started.engine` alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse
from started import engine

ENGINE = sys.argv[1]
_, keras = engine(ENGINE)
LOOPS_OVER_ARRAYS = ENGINE in ("keras", "tf.keras", "tf_keras-v1")
"""Whether it is one of those that slice arrays in Python, in a graph of TensorFlow 1."""
SEEN: dict[str, Any] = {"fits": [], "weights": None}


class Witness(keras.callbacks.Callback):  # type: ignore[name-defined]  # which Keras, an argument says
    """Writes down every hook that it is given, and its logs at the end of epochs; adds a key to them."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__()
        self.hooks: list[list[Any]] = []
        self.stop_at = stop_at

    def note(self, hook: str, number: int | None = None) -> None:
        self.hooks.append([hook, number, threading.current_thread().name])

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.note("on_train_begin")

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.note("on_train_end")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.note("on_epoch_begin", epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        self.note("on_epoch_end", epoch)
        logs["extra"] = float(epoch)

    # Keras 2.2 calls these; later ones call `on_train_batch_*`, whose default calls these.
    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.note("batch_begin", batch)

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.note("batch_end", batch)
        if self.stop_at == batch:
            self.model.stop_training = True


HOOKS = ["on_train_begin", "on_epoch_begin", "on_batch_begin", "on_batch_end", "on_epoch_end", "on_train_end"]
HOOKS += ["on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end"]


class Raising(Witness):
    """Raises in one hook, where the engine has it."""

    def __init__(self, hook: str) -> None:
        super().__init__()
        own = getattr(self, hook, None)

        def raising(*arguments: Any, **logs: Any) -> None:
            if own is not None:
                own(*arguments, **logs)
            raise ValueError("from " + hook)

        setattr(self, hook, raising)


def network(*before: Any) -> Any:
    # One layer: with two, Keras 2.2 may read the weights of the second for a gradient before or after it has set them.
    model = keras.models.Sequential([*before, keras.layers.Dense(1, **({} if before else {"input_shape": (6,)}))])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def data(count: int = 50) -> tuple[np.ndarray, np.ndarray]:
    source = np.random.RandomState(5)
    return source.rand(count, 6).astype("float32"), source.rand(count, 1).astype("float32")


def fit(
    scenario: str, model: Any, method: str = "fit", witness: Witness | None = None, **arguments: Any
) -> dict[str, Any]:
    """One fit; what its witness saw, and how it ended where that was by an exception."""
    witness = witness or Witness()
    seen: dict[str, Any] = {"scenario": scenario, "hooks": witness.hooks, "history": {}, "raised": None}
    SEEN["fits"].append(seen)
    try:
        history = getattr(model, method)(verbose=0, callbacks=[witness], **arguments)
        seen["history"] = {key: [float(value) for value in values] for key, values in history.history.items()}
    except (TypeError, ValueError):
        seen["raised"] = traceback.format_exc()
    return seen


def batches(x: np.ndarray, y: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    while True:
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]


def with_generators(model: Any, x: np.ndarray, y: np.ndarray) -> None:
    """A fit over a generator that validates with another, and the other two methods over generators."""
    if ENGINE == "keras":
        names, key = ("fit_generator", "evaluate_generator", "predict_generator"), "generator"
    else:
        names, key = ("fit", "evaluate", "predict"), "x"
    # One batch again and again: how far an engine reads ahead between two validations is chance.
    validating: dict[str, Any] = {"validation_data": batches(*data(5), 5), "validation_steps": 2}
    arguments: dict[str, Any] = {key: batches(x, y, 10), "epochs": 2, "steps_per_epoch": 3}
    fit("generator", model, method=names[0], **arguments, **validating)
    quiet = {"steps": 2} if ENGINE == "keras" else {"steps": 2, "verbose": 0}
    getattr(model, names[1])(**{key: batches(x, y, 10)}, **quiet)
    inputs = ((one,) if ENGINE != "keras" else one for one, _ in batches(x, y, 10))
    getattr(model, names[2])(**{key: inputs}, **quiet)


def with_known_samples(scenario: str, model: Any, batch_size: int, **arguments: Any) -> None:
    """A fit over samples that tell their index, and which were in each batch, by what the train function is fed."""
    x, y = data()
    x[:, 0] = np.arange(50)
    inner = getattr(model, "model", model)  # before Keras 2.2 a `Sequential` holds the model that trains
    inner._make_train_function()
    function, fed = inner.train_function, []

    def feeding(inputs: list[np.ndarray]) -> Any:
        fed.append([int(one) for one in inputs[0][:, 0]])
        return function(inputs)

    inner.train_function = feeding
    seen = fit(scenario, model, x=x, y=y, batch_size=batch_size, **arguments)
    seen["samples"] = fed


def over_tensors(x: np.ndarray, y: np.ndarray) -> None:
    """A fit in steps, over data that are tensors of the graph."""
    inputs = keras.layers.Input(tensor=keras.backend.constant(x))
    model = keras.models.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse", target_tensors=[keras.backend.constant(y)])
    fit("in_steps", model, x=None, y=None, epochs=2, steps_per_epoch=3)


def with_hdf5(x: np.ndarray, y: np.ndarray) -> None:
    """A fit over HDF5, which cannot be read in any order."""
    import h5py

    with tempfile.TemporaryDirectory() as folder, h5py.File(os.path.join(folder, "data.h5"), "w") as file:
        file["x"], file["y"] = x, y
        for shuffle in ("batch", True):
            fit("hdf5_" + str(shuffle), network(), x=file["x"], y=file["y"], batch_size=16, epochs=1, shuffle=shuffle)


def main() -> None:
    x, y = data()
    model = network()
    fit("validating", model, x=x, y=y, batch_size=16, epochs=2, validation_data=data(20))
    fit("splitting", model, x=x, y=y, batch_size=16, epochs=1, validation_split=0.2, shuffle=False)
    if ENGINE != "keras-3":
        fit("batch_shuffle", model, x=x, y=y, batch_size=16, epochs=1, shuffle="batch")
    fit("stopping", model, witness=Witness(stop_at=1), x=x, y=y, batch_size=16, epochs=3, validation_data=data(20))
    with_generators(model, x, y)
    model.train_on_batch(x[:16], y[:16])
    dropping = network(keras.layers.Dropout(0.5, input_shape=(6,)))
    fit("learning_phase", dropping, x=x, y=y, batch_size=16, epochs=1, validation_data=data(20))
    if LOOPS_OVER_ARRAYS:
        over_tensors(x, y)
        fit("sparse", network(), x=scipy.sparse.csr_matrix(x), y=y, batch_size=16, epochs=1)
        for shuffle in (True, False, "batch"):
            with_known_samples("samples_" + str(shuffle), network(), 16, shuffle=shuffle, epochs=2)
        with_known_samples("samples_alone", network(), 50, epochs=2)
        with_hdf5(x, y)
    else:
        fit("in_steps", model, x=x, y=y, batch_size=16, epochs=2, steps_per_epoch=2)
    if ENGINE == "keras":
        fit("nb_epoch", model, x=x, y=y, batch_size=16, nb_epoch=2)
    for hook in HOOKS:
        fit("raising_" + hook, network(), witness=Raising(hook), x=x, y=y, batch_size=16, validation_data=data(20))
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
