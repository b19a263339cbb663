"""What the programs share: small models and data, and writing down all that a program can see of its training.

Nothing here knows of fittrace. With `ORACLE` set in the environment, `sys.setprofile` tells too which hooks of which
callbacks the callback lists called; that is for the run without fittrace alone.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.callbacks import Callback

HOOKS = ["on_epoch_begin", "on_epoch_end"] + [
    f"on_{stage}{part}_{when}"
    for stage in ("train", "test", "predict")
    for part in ("", "_batch")
    for when in ("begin", "end")
]
tf.random.set_global_generator(tf.random.Generator.from_seed(1))  # else it begins at a place of its own

calls: list[dict[str, Any]] = []
"""Every call of fit, evaluate and predict, in order of beginning."""


class Script:
    """What one scenario sees: `seen` is all of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: dict[str, Any] = {"hooks": [], "history": [], "weights": [], "results": []}

    def call(self, model: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of the model and write down what came of it."""
        number = len(calls)
        calls.append({"scenario": self.name, "method": method})
        result = getattr(model, method)(*args, **kwargs)
        if method == "fit":
            self.seen["history"].append({"call": number, "epoch": result.epoch, "logs": plain(result.history)})
        else:
            self.seen["results"].append({"call": number, "result": plain(result)})
        self.seen["weights"].append(digest(model.get_weights()))
        return result

    def fit(self, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Call `fit`, without a progress bar."""
        kwargs.setdefault("verbose", 0)
        return self.call(model, "fit", *args, **kwargs)

    def witness(self, name: str = "Witness", **methods: Any) -> Any:
        """A callback of the class `name`, with every hook overridden, which writes down each of its calls: the number
        of the root call that it belongs to, hook, epoch or batch, thread and logs. Then it calls its own of `methods`.
        """
        hooks = self.seen["hooks"]

        def overriding(hook: str) -> Callable[..., None]:
            def method(self: Any, *arguments: Any, logs: dict[str, Any] | None = None) -> None:
                number = arguments[0] if "epoch" in hook or "batch" in hook else None
                if logs is None and len(arguments) > (number is not None):
                    logs = arguments[-1]
                thread = threading.current_thread().name
                entry = {"callback": name, "hook": hook, "number": number, "thread": thread, "before": plain(logs)}
                hooks.append(entry)
                if hook in methods:
                    methods[hook](self, number, logs)
                entry["after"] = plain(logs)

            return method

        return type(name, (Callback,), {hook: overriding(hook) for hook in HOOKS})()


class Oracle:
    """Notes the hooks that callback lists call, on every thread, without touching them."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call" or frame.f_back is None or not frame.f_code.co_argcount:
            return
        caller = frame.f_back.f_code
        hook = caller.co_name.lstrip("_")
        if caller.co_filename.endswith("callback_list.py") and hook.startswith("on_"):
            first = frame.f_locals[frame.f_code.co_varnames[0]]
            if isinstance(first, Callback) and not frame.f_code.co_filename.endswith("callback_list.py"):
                self.calls.append([type(first).__name__, hook, threading.current_thread().name])

    def __enter__(self) -> Oracle:
        if "ORACLE" in os.environ:
            threading.setprofile(self)
            sys.setprofile(self)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)


class Clock:
    """A clock for the progress bar, whose output would else depend on the machine."""

    now = 0.0

    @staticmethod
    def time() -> float:
        Clock.now += 0.25
        return Clock.now


def rows(count: int = 70) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels."""
    return np.random.RandomState(0).rand(count, 4).astype("float32"), np.arange(count, dtype="float32") / count


def network(**options: Any) -> Any:
    """A small compiled model, the same at each call."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    model.compile(**dict({"optimizer": "sgd", "loss": "mse", "metrics": ["mae"]}, **options))
    return model


def plain(value: Any) -> Any:
    """Something that JSON can tell: numbers as they are, and of what is neither number nor text its class."""
    kind = type(value)
    if kind is dict:
        return {key if type(key) is str else f"<{type(key).__name__}>": plain(one) for key, one in value.items()}
    if kind is list or kind is tuple:
        return [plain(one) for one in value]
    if kind is np.ndarray or issubclass(kind, np.generic):
        return value.tolist() if value.dtype.kind in "fiub" else f"<{kind.__name__}>"
    if value is None or any(kind is one for one in (int, float, bool, str)):
        return value
    return f"<{type.__dict__['__name__'].__get__(kind)}>"


def digest(arrays: Iterable[np.ndarray]) -> str:
    """All bits of arrays in one text."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def random_state() -> list[Any]:
    """The state of every random generator."""
    return [
        digest([np.array(random.getstate()[1])]),
        digest([np.random.get_state(legacy=False)["state"]["key"]]),
        random.random(),
        np.random.rand(),
        float(tf.random.uniform(())),
        float(keras.random.uniform(())),
        digest([tf.random.get_global_generator().state.numpy()]),
    ]


def surroundings() -> dict[str, Any]:
    """What a program sees of the process that it runs in."""
    main = sys.modules["__main__"]
    return {
        "argv": sys.argv,
        "path": sys.path,
        "meta_path": [getattr(one, "__name__", type(one).__name__) for one in sys.meta_path],
        "modules": sorted(sys.modules),
        "main": [main.__name__, main.__file__, str(main.__spec__), str(main.__package__), sorted(vars(main))],
        "flags": str(sys.flags),
        "threads": [one.name for one in threading.enumerate()],
        "active_count": threading.active_count(),
        "excepthooks": [sys.excepthook is sys.__excepthook__, threading.excepthook is threading.__excepthook__]
        if hasattr(threading, "__excepthook__")
        else [],
        "tracing": [str(sys.gettrace()), str(sys.getprofile())],
        "limits": [sys.getswitchinterval(), sys.getrecursionlimit()],
    }
