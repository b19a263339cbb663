"""The training that is measured: a small multilayer perceptron with batches of 32, as an ordinary script.

It fits once to warm up and once to be timed, and writes the seconds of the latter into a file. `--with` adds what
cannot be added from outside: a callback.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

BATCH = 32


def network(metrics: tuple[str, ...] = ("accuracy",)) -> keras.Model:
    """The network, compiled."""
    layers = [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(64, activation="relu")]
    model = keras.Sequential([keras.Input((20,)), *layers, keras.layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=list(metrics))
    return model


def data(batches: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets for so many batches."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(batches * BATCH, 20)).astype("float32")
    return x, np.eye(10, dtype="float32")[generator.integers(0, 10, len(x))]


def fit(model: keras.Model, x: np.ndarray, y: np.ndarray, callbacks: list[Any] | None = None) -> float:
    """Seconds that one fit takes."""
    begin = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0, callbacks=callbacks or [])
    return time.perf_counter() - begin


def loop(metrics: tuple[str, ...] = ("accuracy",)) -> keras.Model:
    """A network whose fit runs the engine's own loop and trains nothing: what is left is the cost of the loop.

    Its logs are a new dict of new floats for each batch, as training would give.
    """
    model = network(metrics)
    fit(model, *data(1))  # which builds its metrics
    keys = sorted(("loss", *metrics))
    model.train_function = lambda iterator: {key: random.random() for key in keys}
    return model


class Mine(keras.callbacks.Callback):
    """A user's callback that looks at every batch."""

    def on_train_batch_begin(self, batch, logs=None):
        self.batch = batch

    def on_train_batch_end(self, batch, logs=None):
        self.loss = logs["loss"]


def with_spans() -> keras.callbacks.Callback:
    """A callback that opens a span of OpenTelemetry's SDK around every batch."""
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider().get_tracer("benchmark")

    class Spans(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.span = tracer.start_span("batch", attributes={"epoch": 0, "batch": batch})

        def on_train_batch_end(self, batch, logs=None):
            self.span.set_attributes(logs)
            self.span.end()

    return Spans()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=2000)
    parser.add_argument("--with", dest="extra", choices=["tensorboard", "spans"])
    parser.add_argument("--folder", type=Path, default=Path("."), help="where TensorBoard writes")
    parser.add_argument("--report", type=Path, required=True, help="where the seconds of the fit go")
    given = parser.parse_args()
    callbacks: list[Any] = []
    if given.extra == "tensorboard":
        folder = str(given.folder)
        callbacks = [keras.callbacks.TensorBoard(folder, write_graph=False, profile_batch=(2, given.batches - 1))]
    elif given.extra == "spans":
        callbacks = [with_spans()]
    keras.utils.set_random_seed(0)
    model = network()
    fit(model, *data(50))
    seconds = fit(model, *data(given.batches), callbacks)
    given.report.write_text(repr(seconds))


if __name__ == "__main__":
    main()
