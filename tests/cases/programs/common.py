"""What the cases share: a Keras, a small model and its data. Python 3.7 and every Keras."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

if os.environ.get("CASE_ENGINE") == "tf.keras":
    from tensorflow import keras
elif os.environ.get("CASE_ENGINE") == "tf_keras":
    import tf_keras as keras
else:
    import keras

__all__ = ["Callback", "Losses", "batches", "data", "keras", "model"]

Callback: Any = keras.callbacks.Callback


class Losses(Callback):
    """Collects the loss of each batch as a number."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.losses.append((logs or {})["loss"])


def data(count: int = 48) -> tuple[np.ndarray, np.ndarray]:
    source = np.random.RandomState(5)
    return source.rand(count, 6).astype("float32"), source.rand(count, 1).astype("float32")


def model(**compiled: Any) -> Any:
    built = keras.models.Sequential([keras.layers.Dense(1, input_shape=(6,))])
    built.compile("sgd", "mse", **compiled)
    return built


def batches(x: np.ndarray, y: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    while True:
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]
