"""Hangs in the way that the argument names: in a callback, in a dead lock at an epoch's end, or in a dead worker."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any

import keras
import numpy as np

first, second = threading.Lock(), threading.Lock()


class Sleeping(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch == 1:
            time.sleep(600)


class Locking(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch == 1:
            with first:
                threading.Thread(target=write, name="writer", daemon=True).start()
                while not second.locked():
                    time.sleep(0.01)
                with second:
                    pass


def write() -> None:
    with second, first:  # the other way round
        pass


class Data(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 60

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if index == 40:  # far enough that batches have ended, however many are fetched ahead
            os.kill(os.getpid(), signal.SIGKILL)
        return np.ones((4, 3), "float32"), np.ones((4, 1), "float32")


if __name__ == "__main__":
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    if sys.argv[1] == "worker":
        model.fit(Data(workers=2, use_multiprocessing=True), epochs=2, shuffle=False, verbose=0)
    else:
        hanging = {"callback": Sleeping, "deadlock": Locking}[sys.argv[1]]
        model.fit(np.ones((64, 3)), np.ones((64, 1)), epochs=4, callbacks=[hanging()], verbose=0)
