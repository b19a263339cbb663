"""The kinds of fit: each a scenario, a function that is given a `Script`."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.callbacks import Callback
from witness import HOOKS, Oracle, Script, network, rows


def changing_logs(script: Script) -> None:
    """Two epochs that end in a smaller batch, with validation, a progress bar, and a callback that changes the logs."""

    def at_batch(self: Any, batch: int, logs: dict[str, Any]) -> None:
        logs["extra"] = batch * 0.5

    def at_epoch(self: Any, epoch: int, logs: dict[str, Any]) -> None:
        logs["rate"] = 0.25
        logs["loss"] += 1.0
        del logs["mae"]

    def stack(self: Any, number: int, logs: dict[str, Any]) -> None:
        frames = [[os.path.basename(one.filename), one.lineno, one.name] for one in traceback.extract_stack()]
        script.seen.setdefault("stacks", []).append(frames)

    callbacks = [
        script.witness("First", on_train_batch_end=stack, on_test_end=stack, on_epoch_begin=stack),
        script.witness("Changer", on_train_batch_end=at_batch, on_epoch_end=at_epoch),
        script.witness("Last"),
        keras.callbacks.EarlyStopping("val_loss"),
    ]
    model = network()
    with Oracle() as oracle:
        script.fit(model, *rows(), batch_size=16, epochs=2, verbose=1, validation_data=rows(20), callbacks=callbacks)
    script.seen["oracle"] = oracle.calls


def no_callbacks(script: Script) -> None:
    """None of the user's, and a progress line per epoch."""
    script.fit(network(), *rows(), epochs=2, batch_size=20, validation_split=0.3, verbose=2)


def alone(script: Script) -> None:
    """`evaluate` and `predict` outside any fit."""
    model = network()
    with Oracle() as oracle:
        script.call(model, "evaluate", *rows(), verbose=1, callbacks=[script.witness("Tester")])
        script.call(model, "predict", rows()[0], verbose=1, callbacks=[script.witness("Predictor")])
    script.seen["oracle"] = oracle.calls


def several_steps(script: Script) -> None:
    """`steps_per_execution`, `validation_split`, class weights."""
    x, y = rows(100)
    labels = (y > 0.5).astype("int32")
    options = {"batch_size": 10, "validation_split": 0.4, "class_weight": {0: 1.0, 1: 2.0}}
    script.fit(network(steps_per_execution=2), x, labels, callbacks=[script.witness()], **options)


def uneven_steps(script: Script) -> None:
    """`steps_per_execution` with a remainder, which Keras 3.3 does not survive."""
    options = {"batch_size": 9, "validation_split": 0.2, "callbacks": [script.witness()]}
    script.fit(network(steps_per_execution=4), *rows(100), **options)


def steps_per_epoch(script: Script) -> None:
    script.fit(network(), *rows(), batch_size=7, steps_per_epoch=4, epochs=2, callbacks=[script.witness()])


def stopping(script: Script) -> None:
    """In the middle of the first epoch."""

    def stop(self: Any, batch: int, logs: dict[str, Any]) -> None:
        if batch == 2:
            self.model.stop_training = True

    script.fit(network(), *rows(), batch_size=10, epochs=3, callbacks=[script.witness(on_train_batch_end=stop)])


def dataset(script: Script) -> None:
    data = tf.data.Dataset.from_tensor_slices(rows()).batch(32)
    script.fit(network(), data, epochs=2, callbacks=[script.witness()])


def generator(script: Script) -> None:
    def pairs() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _ in range(6):
            yield rows(8)

    script.fit(network(), pairs(), steps_per_epoch=3, epochs=2, callbacks=[script.witness()])


def eagerly(script: Script) -> None:
    script.fit(network(run_eagerly=True), *rows(), callbacks=[script.witness()])


def sometimes_validating(script: Script) -> None:
    """From the second epoch on, and validating after every second."""
    options = {"initial_epoch": 1, "epochs": 4, "validation_freq": 2, "validation_data": rows(10)}
    script.fit(network(), *rows(), callbacks=[script.witness()], **options)


def no_epochs(script: Script) -> None:
    script.fit(network(), *rows(), epochs=0, callbacks=[script.witness()])


def asynchronous(script: Script) -> None:
    """A callback without batch-end hooks: Keras may run those of the others on a thread pool."""

    class Epochs(Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            threads.append(threading.current_thread().name)

    threads = script.seen["threads"] = []
    callback = Epochs()
    model = network()
    with Oracle() as oracle:
        script.fit(model, *rows(), epochs=2, batch_size=8, callbacks=[callback], validation_data=rows(20))
    script.seen["oracle"] = oracle.calls
    script.seen["is_default"] = [
        [hook, getattr(getattr(callback, hook), "_is_default", None), hook in vars(callback)] for hook in HOOKS
    ]


def nested(script: Script) -> None:
    """A fit, an evaluate and a predict inside a callback of a fit."""
    inner = network()

    def train(self: Any, epoch: int, logs: dict[str, Any]) -> None:
        script.fit(inner, *rows(), callbacks=[script.witness("Inner")])
        script.call(self.model, "evaluate", *rows(), verbose=0, callbacks=[script.witness("Tester")])
        script.call(self.model, "predict", rows()[0], verbose=0)

    script.fit(network(), *rows(), epochs=2, callbacks=[script.witness("Outer", on_epoch_end=train)])


def two_threads(script: Script) -> None:
    """Two fits at once."""

    def train(number: int) -> None:
        options = {"batch_size": 10, "epochs": 3, "shuffle": False}
        scripts[number].fit(models[number], *rows(), callbacks=[scripts[number].witness("Threaded")], **options)

    models = [network(), network()]
    scripts = [Script(script.name), Script(script.name)]
    threads = [threading.Thread(target=train, args=(number,), name=f"trainer-{number}") for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, one in enumerate(scripts):
        script.seen[f"trainer-{number}"] = {key: one.seen[key] for key in ("hooks", "weights")}
