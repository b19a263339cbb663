"""A callback saves the weights every 20 batches, which makes these batches slow."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import common

keras = common.keras


class Saver(common.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch % 20 == 0:
            self.model.save_weights(os.path.join(folder, f"{batch}.weights.h5"))


with tempfile.TemporaryDirectory() as folder:
    layers = [keras.layers.Dense(512, activation="relu") for _ in range(2)]
    model = keras.models.Sequential([keras.layers.Dense(64, input_shape=(6,)), *layers, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(*common.data(3200), batch_size=16, epochs=1, verbose=0, callbacks=[Saver()])
