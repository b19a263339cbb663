"""Trains on the Keras in miniature, in the ways that its arguments name, and prints a number of chance at the end."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from typing import Any

import keras


class Stopping(keras.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        logs["extra"] = float(epoch)


class Raising(keras.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 2:
            raise ValueError("enough")


class Fitting(keras.Callback):
    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        keras.Model().fit(2, 1)


class Dying(keras.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 3:
            time.sleep(0.5)  # the collector takes what there is
            os.kill(os.getpid(), signal.SIGKILL)


def plain() -> None:
    keras.Model().fit(20, 3, [keras.Callback(), Stopping()], validation_data=4)


def alone() -> None:
    keras.Model().evaluate(3)


def raising() -> None:
    with contextlib.suppress(ValueError):
        keras.Model().fit(5, 2, [Raising()])


class Refusing(keras.Callback):
    """Raises what the engine takes for the end of the data."""

    def __init__(self, when: str) -> None:
        setattr(self, "on_train_batch_" + when, self.refuse)

    def refuse(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 1:
            raise StopIteration


def unknown() -> None:
    keras.Model(knows_steps=False).fit(3, 2, [keras.Callback()], validation_data=2)
    keras.Model(knows_steps=False).fit(3, 1, [Refusing("begin")])
    keras.Model(knows_steps=False).fit(3, 1, [Refusing("end")])


def nested() -> None:
    keras.Model().fit(2, 2, [Fitting()])


def threads() -> None:
    both = [threading.Thread(target=keras.Model(0.001).fit, args=(20, 2)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()


def forking() -> None:
    keras.Model().fit(2, 1)
    child = os.fork()
    if child == 0:
        keras.Model().fit(3, 1)
        sys.exit(0)
    os.waitpid(child, 0)
    keras.Model().fit(2, 1)


def many() -> None:
    keras.Model().fit(5000, 1)


def dying() -> None:
    keras.Model().fit(5, 2, [Dying()])


random.seed(7)
for scenario in sys.argv[1:]:
    globals()[scenario]()
print("the end", random.random())
