"""The training that is measured: a small multilayer perceptron with batches of 32, as an ordinary script.

It is the same for every engine, and runs on Python 3.7 as well. It fits once to warm up and once to be timed, and
writes the seconds of the latter into a file. `--with` adds what cannot be added from outside: a callback.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 32
ENGINES = ("keras-2.2", "tf-keras-v1", "tf-keras", "keras-3")


def data(batches: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets for so many batches."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(batches * BATCH, 20)).astype("float32")
    return x, np.eye(10, dtype="float32")[generator.integers(0, 10, len(x))]


def fit(model: Any, x: np.ndarray, y: np.ndarray, callbacks: list[Any] | None = None, epochs: int = 1) -> float:
    """Seconds that one fit takes."""
    begin = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=callbacks or [])
    return time.perf_counter() - begin


class Training:
    """The training on one `engine`, which this process has for itself."""

    def __init__(self, engine: str = "keras-3") -> None:
        if engine == "tf-keras-v1":
            importlib.import_module("tensorflow").compat.v1.disable_v2_behavior()
        self.keras: Any = importlib.import_module("tf_keras" if engine.startswith("tf-keras") else "keras")
        self.is_graph = engine in ("keras-2.2", "tf-keras-v1")
        self.hooks = "on_batch_" if engine == "keras-2.2" else "on_train_batch_"

    def network(self, metrics: tuple[str, ...] = ("accuracy",)) -> Any:
        """The network, compiled."""
        layers = self.keras.layers
        inputs = layers.Input((20,))
        hidden = layers.Dense(64, activation="relu")(layers.Dense(64, activation="relu")(inputs))
        model = self.keras.models.Model(inputs, layers.Dense(10, activation="softmax")(hidden))
        model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=list(metrics))
        return model

    def loop(self, metrics: tuple[str, ...] = ("accuracy",)) -> Any:
        """A network whose fit runs the engine's own loop and trains nothing: what is left is the cost of the loop.

        Its logs are new numbers for each batch, as training would give.
        """
        model = self.network(metrics)
        fit(model, *data(1))  # which builds its metrics and its function
        keys = ["loss", *metrics]
        generator = np.random.default_rng(0)
        if self.is_graph:
            # All of the function but the call of TensorFlow's session.
            outputs = [list(generator.random(len(keys), dtype="float32")) for _ in range(1000)]
            following = itertools.cycle(outputs).__next__
            model.train_function._callable_fn = lambda *arrays, **options: following()
        else:
            logs = [dict(zip(keys, generator.random(len(keys)).tolist())) for _ in range(1000)]
            following_logs = itertools.cycle(logs).__next__
            model.train_function = lambda iterator: following_logs().copy()
        return model

    def callback(self) -> Any:
        """A user's callback that looks at every batch."""

        def begin(self: Any, batch: int, logs: Any = None) -> None:
            self.batch = batch

        def end(self: Any, batch: int, logs: Any = None) -> None:
            self.loss = logs["loss"]

        hooks = {self.hooks + "begin": begin, self.hooks + "end": end}
        return type("Mine", (self.keras.callbacks.Callback,), hooks)()

    def with_spans(self) -> Any:
        """A callback that opens a span of OpenTelemetry's SDK around every batch."""
        from opentelemetry.sdk.trace import TracerProvider

        tracer = TracerProvider().get_tracer("benchmark")

        class Spans(self.keras.callbacks.Callback):  # type: ignore[name-defined]
            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
                self.span = tracer.start_span("batch", attributes={"epoch": 0, "batch": batch})

            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                self.span.set_attributes(logs)
                self.span.end()

        return Spans()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="keras-3")
    parser.add_argument("--batches", type=int, default=2000)
    parser.add_argument("--with", dest="extra", choices=["tensorboard", "spans"])
    parser.add_argument("--folder", type=Path, default=Path("."), help="where TensorBoard writes")
    parser.add_argument("--report", type=Path, required=True, help="where the seconds of the fit go")
    given = parser.parse_args()
    training = Training(given.engine)
    callbacks: list[Any] = []
    if given.extra == "tensorboard":
        folder = str(given.folder)
        board = training.keras.callbacks.TensorBoard
        callbacks = [board(folder, write_graph=False, profile_batch=(2, given.batches - 1))]
    elif given.extra == "spans":
        callbacks = [training.with_spans()]
    model = training.network()
    fit(model, *data(50))
    seconds = fit(model, *data(given.batches), callbacks)
    given.report.write_text(repr(seconds))


if __name__ == "__main__":
    main()
