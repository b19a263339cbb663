"""Uses TensorFlow's profiler in the ways that a program has, around, between and in the batches of a fit.

Python 3.7 and every Keras; what the first argument names is the engine.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from started import engine

tf, keras = engine(sys.argv[1])
IN_SESSION = not tf.executing_eagerly()
SEEN: dict[str, Any] = {"fits": []}
BATCHES = 4

if tf.__version__ < "2":
    from tensorflow.python.eager import profiler as eager_profiler


class Profile:
    """A profile of the program's own."""

    def start(self) -> None:
        if tf.__version__ < "2":
            eager_profiler.start()
        else:
            self.folder = tempfile.TemporaryDirectory()
            tf.profiler.experimental.start(self.folder.name)

    def stop(self) -> bool:
        """Whether there is something of a network in it."""
        if tf.__version__ < "2":
            return b"MatMul" in eager_profiler.stop()
        tf.profiler.experimental.stop()
        with self.folder:
            return in_files(self.folder.name)


def in_files(folder: str) -> bool:
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".xplane.pb", ".trace")):
                with open(os.path.join(place, name), "rb") as file:
                    if b"MatMul" in file.read():
                        return True
    return False


class Watch(keras.callbacks.Callback):  # type: ignore[name-defined]  # which Keras, an argument says
    """Does what it is told to before and after a batch."""

    def __init__(
        self, begin: Callable[[int], object] = lambda batch: None, end: Callable[[int], object] = lambda batch: None
    ) -> None:
        super().__init__()
        self.begin, self.end = begin, end

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.begin(batch)

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.end(batch)

    on_train_batch_begin, on_train_batch_end = on_batch_begin, on_batch_end


def network(in_batch: Callable[[], object] | None = None) -> Any:
    """A model; `in_batch` is done in the middle of each of its training steps."""
    # One layer learns: with two, Keras 2.2 may read the weights of the second for a gradient before or after it has set
    # them.
    layers = [keras.layers.Dense(2, input_shape=(3,), kernel_initializer="ones", trainable=False)]
    layers.append(keras.layers.Dense(1, kernel_initializer="ones"))
    if in_batch is None:
        model = keras.models.Sequential(layers)
        model.compile("sgd", "mse")
        return model

    act = in_batch

    class Stepping(keras.models.Sequential):  # type: ignore[name-defined]  # which Keras, an argument says
        def train_step(self, *data: Any) -> Any:
            result = super().train_step(*data)
            act()
            return result

    model = Stepping(layers)
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def fit(scenario: str, callbacks: Sequence[Any] = (), in_batch: Callable[[], object] | None = None) -> dict[str, Any]:
    """One fit, and what came of it; fittrace is to forget that the program has used the profiler before."""
    profiler = sys.modules.get("fittrace.capture.sampling.profiler")
    if profiler is not None:
        profiler.PROFILER.reason = None
    seen = {"scenario": scenario, "error": None}
    SEEN["fits"].append(seen)
    try:
        model = network(in_batch)
        x, y = np.ones((8 * BATCHES, 3), "float32"), np.ones((8 * BATCHES, 1), "float32")
        model.fit(x, y, batch_size=8, verbose=0, shuffle=False, epochs=1, callbacks=list(callbacks))
        weights = b"".join(weight.tobytes() for weight in model.get_weights())
        seen["weights"] = hashlib.sha256(weights).hexdigest()
    except Exception:
        seen["error"] = traceback.format_exc()
    return seen


def by_tensorboard() -> None:
    """TensorBoard's callback, which profiles a batch, also where it is not asked to in graph mode."""
    with tempfile.TemporaryDirectory() as folder:
        options = {} if IN_SESSION else {"profile_batch": (2, 3)}
        seen = fit("tensorboard", [keras.callbacks.TensorBoard(folder, **options)])
        seen["profiled"] = in_files(folder)
    # And the profiler is free again.
    profile = Profile()
    profile.start()
    profile.stop()


def around() -> None:
    profile = Profile()
    profile.start()
    seen = fit("around")
    seen["profiled"] = profile.stop()


def in_hooks() -> None:
    """A callback starts it, and another hook stops it."""
    profile, profiled = Profile(), []

    def end(batch: int) -> None:
        if batch == 0:
            profile.start()
        elif batch == 2:
            profiled.append(profile.stop())

    fit("hooks", [Watch(end=end)])["profiled"] = profiled


def beside() -> None:
    """Another thread starts and stops it again and again while batches run."""
    told, is_over = [], threading.Event()

    def work() -> None:
        while not is_over.is_set():
            profile = Profile()
            try:
                profile.start()
                profile.stop()
            except Exception:
                told.append(traceback.format_exc())

    thread = threading.Thread(target=work)

    def begin(batch: int) -> None:
        if batch == 1:
            thread.start()

    seen = fit("beside", [Watch(begin=begin)])
    is_over.set()
    thread.join()
    seen["errors"] = told


def two_fits() -> None:
    """Two threads train at once, batch beside batch; in graph mode each has a graph and a session of its own."""
    barrier = threading.Barrier(2)

    def work() -> None:
        if not IN_SESSION:
            fit("two", [Watch(begin=lambda batch: barrier.wait())])
            return
        graph = tf.Graph()
        with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
            if sys.argv[1] == "tf_keras-v1":
                from tf_keras.src.backend import set_session

                set_session(session)
            elif sys.argv[1] == "tf.keras":
                keras.backend.set_session(session)
            fit("two", [Watch(begin=lambda batch: barrier.wait())])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_a_batch() -> None:
    """The training step itself starts it, and the next one stops it."""
    profiles: list[Profile] = []
    profiled: list[bool] = []

    def step() -> None:
        if profiles:
            profiled.append(profiles.pop().stop())
        else:
            profiles.append(Profile())
            profiles[0].start()

    fit("in a batch", in_batch=step)["profiled"] = profiled


def beside_a_batch() -> None:
    """Another thread starts it while a batch waits for that."""
    profiled: list[bool] = []
    steps: list[None] = []

    def work() -> None:
        profile = Profile()
        profile.start()
        profiled.append(profile.stop() in (True, False))

    def step() -> None:
        steps.append(None)
        if len(steps) == 2:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

    fit("beside a batch", in_batch=step)["profiled"] = profiled


def by_a_session() -> None:
    """A session of TensorFlow 1, called in a batch, asks for all there is: that takes the profiler too."""
    told = []
    v1 = tf.compat.v1
    options = v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE)

    def step() -> None:
        metadata = v1.RunMetadata()
        with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
            session.run(tf.constant(1) + 1, options=options, run_metadata=metadata)
        told.append(len(metadata.step_stats.dev_stats) > 0)

    fit("session", in_batch=step)["told"] = told


def by_a_server() -> None:
    """A server of TensorFlow's takes requests for profiles, from now on."""
    servers = []

    def begin(batch: int) -> None:
        if batch == 2:
            servers.append(tf.compat.v1.train.Server.create_local_server())

    fit("server", [Watch(begin=begin)])


def main() -> None:
    if not IN_SESSION or hasattr(keras.callbacks.TensorBoard, "on_train_batch_end"):
        by_tensorboard()
    around()
    in_hooks()
    two_fits()
    beside()
    if not IN_SESSION:
        in_a_batch()
        beside_a_batch()
        by_a_session()
        by_a_server()


main()
with open(os.environ["SEEN"], "w") as file:
    json.dump(SEEN, file)
