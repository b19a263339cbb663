"""Fits in many ways on the engine that the first argument names, as flows_of.py says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from flows_of import engine, seen, write

ENGINE = sys.argv[1]
keras = engine(ENGINE)
MODERN = ENGINE in ("keras-3", "tf_keras")


class Stops(keras.callbacks.Callback):  # type: ignore[name-defined]  # which Keras, an argument says
    """Stops at a batch, raises in a hook, or fits another model in one."""

    def __init__(self, stop: int | None = None, fail: str | None = None, inner: bool = False) -> None:
        super().__init__()
        self.stop, self.fail, self.inner = stop, fail, inner

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == self.stop:
            self.model.stop_training = True
        if self.fail == "batch" and batch == 1:
            raise ValueError("asked")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.fail == "epoch":
            raise ValueError("asked")
        if self.inner and epoch == 0:
            x, y = data(20)
            network().fit(x, y, batch_size=16, verbose=0)
            self.model.evaluate(x, y, batch_size=16, verbose=0)


def network(sparse: bool = False) -> Any:
    layer = {"input_shape": (6,)} if not sparse else {"batch_input_shape": (None, 6), "sparse": True}
    if sparse:
        source = keras.layers.Input(shape=(6,), sparse=True)
        model = keras.models.Model(source, keras.layers.Dense(1)(source))
    else:
        model = keras.models.Sequential([keras.layers.Dense(1, **layer)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def data(count: int = 50) -> tuple[np.ndarray, np.ndarray]:
    source = np.random.RandomState(5)
    return source.rand(count, 6).astype("float32"), source.rand(count, 1).astype("float32")


def batches(x: np.ndarray, y: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    while True:
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]


def few(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in (0, 10):
        yield x[start : start + 10], y[start : start + 10]


def main() -> None:
    x, y = data()
    model = network()

    def fit(**given: Any) -> Callable[[], object]:
        return lambda: model.fit(x, y, **dict({"batch_size": 16, "verbose": 0}, **given))

    seen("plain", fit(epochs=2))
    seen("validating", fit(epochs=2, validation_data=data(20)))
    seen("splitting", fit(validation_split=0.2, shuffle=False))
    seen("progress bar", fit(verbose=1))
    if ENGINE != "keras-3":
        seen("batch shuffle", fit(shuffle="batch"))
    seen("stop", fit(epochs=3, callbacks=[Stops(stop=1)], validation_data=data(20)))
    seen("raise in a batch", fit(epochs=2, callbacks=[Stops(fail="batch")]))
    seen("raise in an epoch", fit(epochs=2, callbacks=[Stops(fail="epoch")], validation_data=data(20)))
    seen("fit in a fit", fit(epochs=2, callbacks=[Stops(inner=True)]))
    if ENGINE != "tf_keras":
        seen("no epochs", fit(epochs=0))
    if ENGINE == "keras":
        import scipy.sparse

        sparse = scipy.sparse.csr_matrix(x)
        if keras.__version__ >= "2.1":  # Keras 2.0 does not turn them dense
            seen("sparse", lambda: network().fit(sparse, y, batch_size=16, verbose=0))
        if "2.1" <= keras.__version__ < "2.3":  # Keras 2.3 does not feed them
            seen("sparse inputs", lambda: network(sparse=True).fit(sparse, y, batch_size=16, verbose=0))
        seen("generator", lambda: model.fit_generator(batches(x, y, 10), 3, epochs=2, verbose=0,
                                                      validation_data=data(20)))  # fmt: skip
        seen("evaluate generator", lambda: model.evaluate_generator(batches(x, y, 10), 2))
    else:
        seen("generator", lambda: model.fit(batches(x, y, 10), steps_per_epoch=3, epochs=2, verbose=0))
    if MODERN:
        seen("few", lambda: model.fit(few(x, y), steps_per_epoch=3, epochs=2, verbose=0))
        seen("unknown length", lambda: model.fit(few(x, y), epochs=1, verbose=0))
    seen("evaluate", lambda: model.evaluate(x, y, batch_size=16, verbose=0))
    seen("predict", lambda: model.predict(x, batch_size=16, verbose=0))


main()
write()
