"""Trains a small model with the real Keras and tells a witness file when its hook ran: keras_train.py WITNESS"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

witness = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


class Witness(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        os.write(witness, b"%d on_train_batch_end\n" % time.time_ns())


model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dense(1)])
model.compile("sgd", "mse")
data = np.ones((3200, 8)), np.ones((3200, 1))
model.fit(*data, batch_size=4, epochs=50, verbose=0, callbacks=[Witness()], validation_split=0.1)
