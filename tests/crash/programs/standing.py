"""Fits that end in the ways that the arguments name: at a place that is known."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import Any

import keras


class Boom(keras.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 1:
            raise ValueError("no")


class Forgiving(keras.Callback):
    """Catches what a fit inside it raises; the one around it goes on, and is stopped by another hook."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        with contextlib.suppress(ValueError):
            keras.Model().fit(3, 1, [Boom()])


class Dying(keras.Callback):
    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 2:
            time.sleep(0.6)  # the collector takes what there is
            os.kill(os.getpid(), signal.SIGKILL)


class Evaluating(keras.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        keras.Model().predict(2)
        keras.Model().evaluate(3)


class Failing(keras.Model):
    """Fails where it computes a batch."""

    def train_function(self, iterator: Any) -> None:
        raise RuntimeError("out of memory")


def boom() -> None:
    keras.Model().fit(3, 2, [Boom()])


def forgiving() -> None:
    keras.Model().fit(3, 1, [Forgiving()])


def failing() -> None:
    Failing().fit(3, 2)


def killed() -> None:
    keras.Model().fit(3, 2, [Dying()], validation_data=4)


def inner() -> None:
    keras.Model().fit(2, 2, [Evaluating()], validation_data=3)


def many() -> None:
    for _ in range(5):
        keras.Model().fit(2, 1)
    keras.Model().predict(3)


for name in sys.argv[1:]:
    with contextlib.suppress(ValueError, RuntimeError):
        globals()[name]()
