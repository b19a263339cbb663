"""Trains with keras and tf_keras in one process, one after the other and one inside a hook of the other."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import keras
import numpy as np
import tf_keras

SEEN: dict[str, list[Any]] = {"history": [], "weights": []}


def network(engine: Any) -> Any:
    engine.utils.set_random_seed(1)
    model = engine.models.Sequential([engine.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def fit(engine: Any, model: Any, **arguments: Any) -> None:
    source = np.random.RandomState(2)
    history = model.fit(source.rand(20, 3), source.rand(20, 1), batch_size=8, verbose=0, **arguments)
    SEEN["history"].append([engine.__name__, history.history])
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    SEEN["weights"].append(digest.hexdigest())


class Fitting(tf_keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        fit(keras, network(keras))
        self.model.stop_training = True


fit(keras, network(keras))
fit(tf_keras, network(tf_keras), callbacks=[Fitting()], epochs=3)
with open(os.environ["SEEN"], "w") as file:
    json.dump(SEEN, file)
