"""Fits whose data run out, on the engine that the argument names.

What the program itself counted goes into the file that `SEEN` names, for each fit: how often hooks at the beginning and
at the end of batches were called, by stage, and in how many turns the data ran out after their function was called.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

ENGINE = sys.argv[1]
if ENGINE.startswith("tf_keras"):
    import tf_keras as keras
elif ENGINE == "tf.keras":
    from tensorflow import keras
else:
    import keras
if ENGINE == "tf_keras-v1":
    tf.compat.v1.disable_v2_behavior()
seen: list[dict[str, Any]] = []


def model(**more: Any) -> Any:
    made = keras.models.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    made.compile("sgd", "mse", **more)
    return made


def data(batches: int = 3) -> Any:
    """Batches whose number nobody knows before."""
    x, y = np.ones((4 * batches, 2), "float32"), np.ones((4 * batches, 1), "float32")
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(4).filter(lambda x, y: tf.reduce_all(x > 0))


def generator(batches: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for _ in range(batches):
        yield np.ones((4, 2), "float32"), np.ones((4, 1), "float32")


class Counting(keras.callbacks.Callback):
    """Counts hooks of batches; Keras 2.2 has those of training alone."""

    def __init__(self) -> None:
        super().__init__()
        self.begins: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.begins["train"] += 1

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.ends["train"] += 1

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.begins["test"] += 1

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.ends["test"] += 1

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.begins["predict"] += 1

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.ends["predict"] += 1


if ENGINE == "keras":
    Counting.on_batch_begin, Counting.on_batch_end = Counting.on_train_batch_begin, Counting.on_train_batch_end


class Refusing(keras.callbacks.Callback):
    """Raises what the engine takes for the end of the data."""

    def __init__(self, when: str) -> None:
        super().__init__()
        setattr(self, "on_train_batch_" + when, self.refuse)

    def refuse(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 1:
            raise StopIteration


def scenario(name: str, run: Callable[[Any, Counting], None], ran_out: int, stage: str = "train", **more: Any) -> None:
    counting = Counting()
    run(model(**more), counting)
    facts = {"begins": counting.begins, "ends": counting.ends, "ran_out": ran_out, "stage": stage}
    seen.append({"name": name, **facts})


def fit(
    dataset: Callable[[], Any] = data, callbacks: Sequence[Any] = (), **arguments: Any
) -> Callable[[Any, Counting], None]:
    def run(made: Any, counting: Counting) -> None:
        made.fit(dataset(), verbose=0, callbacks=[counting, *callbacks], **arguments)

    return run


def evaluate(made: Any, counting: Counting) -> None:
    made.evaluate(data(), verbose=0, callbacks=[counting])


def predict(made: Any, counting: Counting) -> None:
    made.predict(data().map(lambda x, y: x), verbose=0, callbacks=[counting])


def fit_generator(made: Any, counting: Counting) -> None:
    with contextlib.suppress(StopIteration):
        made.fit_generator(generator(7), steps_per_epoch=5, epochs=4, verbose=0, callbacks=[counting], workers=0)


def seven() -> Any:
    return data(7)


if ENGINE == "keras":
    # The fetch has a phase of its own there, and no engine catches what it raises.
    scenario("generator", fit_generator, ran_out=0)
elif ENGINE in ("tf_keras-v1", "tf.keras"):
    scenario("unknown size", fit(epochs=3), ran_out=1)
    scenario("cut by steps", fit(seven, epochs=4, steps_per_epoch=5), ran_out=1)
    scenario("evaluate", evaluate, ran_out=1, stage="test")
else:
    is_keras_3 = ENGINE == "keras-3"
    scenario("unknown size, validated", fit(epochs=3, validation_data=data()), ran_out=6 if is_keras_3 else 2)
    scenario("cut by steps", fit(seven, epochs=4, steps_per_epoch=5), ran_out=2 if is_keras_3 else 1)
    scenario("evaluate", evaluate, ran_out=1, stage="test")
    scenario("predict", predict, ran_out=int(not is_keras_3), stage="predict")
    scenario("hook refuses to begin", fit(callbacks=[Refusing("begin")]), ran_out=0)
    scenario("hook refuses to end", fit(callbacks=[Refusing("end")]), ran_out=0)
    if is_keras_3:
        scenario("several steps", fit(lambda: data(6), epochs=2), ran_out=2, steps_per_execution=2)

with open(os.environ["SEEN"], "w") as file:
    json.dump(seen, file)
