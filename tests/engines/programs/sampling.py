"""Trains in some ways whose batches are sampled, on the engine that the first argument names; see `training.py`.

Python 3.7 and every Keras: what differs between the engines is in `started.engine` alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
from started import engine

tf, keras = engine(sys.argv[1])
IN_SESSION = not tf.executing_eagerly()
SEEN: dict[str, Any] = {"fits": []}


class Watch(keras.callbacks.Callback):  # type: ignore[name-defined]  # which Keras, an argument says
    """Writes down which callable the engine has cached after each batch, and does what else it is told to."""

    def __init__(self, each: Callable[[Any], object] = lambda model: None) -> None:
        super().__init__()
        self.callables: list[int] = []
        self.each = each

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if hasattr(getattr(self.model, "train_function", None), "_callable_fn"):
            self.callables.append(id(self.model.train_function._callable_fn))
        self.each(self.model)

    on_train_batch_end = on_batch_end


def network(check: bool = False, **options: Any) -> Any:
    check_numbers = [keras.layers.Lambda(lambda x: tf.debugging.check_numerics(x, "no number"))] if check else []
    # One layer learns: with two, Keras 2.2 may read the weights of the second for a gradient before or after it has set
    # them.
    first = {"input_shape": (6, 6, 1), "trainable": False}
    layers = [keras.layers.Conv2D(2, 3, **first), *check_numbers, keras.layers.Dropout(0.3), keras.layers.Flatten()]
    model = keras.models.Sequential([*layers, keras.layers.Dense(3)])
    model.compile("sgd", "mse", **options)
    return model


def data(count: int = 50) -> tuple[np.ndarray, np.ndarray]:
    source = np.random.RandomState(5)
    return source.rand(count, 6, 6, 1).astype("float32"), source.rand(count, 3).astype("float32")


def digest(model: Any) -> str:
    return hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest()


def fit(
    scenario: str, model: Any, watch: Watch | None = None, x: np.ndarray | None = None, **arguments: Any
) -> dict[str, Any]:
    """One fit of four batches an epoch, and what came of it."""
    watch = watch or Watch()
    arguments.setdefault("epochs", 1)  # which Keras 2.0 takes to be ten
    known_x, y = data()
    seen: dict[str, Any] = {"scenario": scenario}
    SEEN["fits"].append(seen)
    try:
        x = known_x if x is None else x
        model.fit(x, y, batch_size=16, verbose=0, callbacks=[watch], shuffle=False, **arguments)
    except Exception as error:
        frames = [[frame.filename, frame.lineno, frame.name] for frame in traceback.extract_tb(sys.exc_info()[2])]
        seen.update(error=type(error).__name__, frames=frames)
    seen.update(weights=digest(model), callables=len(set(watch.callables)))
    return seen


def with_a_number_missing() -> np.ndarray:
    x, _ = data()
    x[20] = np.nan
    return x


def theirs() -> None:
    """The program asks for metadata itself."""
    options = tf.compat.v1.RunOptions(trace_level=tf.compat.v1.RunOptions.FULL_TRACE)
    metadata = tf.compat.v1.RunMetadata()
    told = []
    watch = Watch(lambda model: told.append(sum(len(one.node_stats) for one in metadata.step_stats.dev_stats)))
    seen = fit("theirs", network(options=options, run_metadata=metadata), watch)
    seen["told"] = [bool(count) for count in told]


def profiled() -> None:
    """The program profiles itself."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        fit("profiled", network())
        tf.profiler.experimental.stop()
        SEEN["profiled"] = sum(len(files) for _, _, files in os.walk(folder)) > 0


def main() -> None:
    fit("sampled", network(), epochs=2, validation_data=data(20))
    fit("raising", network(check=True), x=with_a_number_missing())
    if IN_SESSION:
        theirs()
    else:
        fit("retraced", network(), Watch(lambda model: model.make_train_function(force=True)), epochs=2)
        fit("eager", network(run_eagerly=True))
        fit("compiled", network(jit_compile=True))
        profiled()  # last: the profiler is the program's from then on
    SEEN["random"] = [random.random(), float(np.random.rand())]


main()
with open(os.environ["SEEN"], "w") as file:
    json.dump(SEEN, file)
