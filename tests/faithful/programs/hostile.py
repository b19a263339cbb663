"""Values, log keys and a callback class that bear nothing: who compares, shows or converts one of them is told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from keras.callbacks import Callback
from witness import Script, network, rows

touched: list[str] = []


def refuse(self: Any, *arguments: Any) -> Any:
    """Stands in for every method that something might call."""
    touched.append(type.__dict__["__name__"].__get__(type(self)))
    raise RuntimeError("touched")


class Unhashable(type):
    """A metaclass whose classes can neither be hashed, nor compared, nor shown, nor asked their name."""

    __hash__ = None  # type: ignore[assignment]  # that is what makes it unhashable
    __eq__ = __repr__ = __str__ = refuse
    __name__ = __module__ = property(refuse)


class Hostile(metaclass=Unhashable):
    __repr__ = __str__ = __eq__ = __ne__ = __float__ = __int__ = __bool__ = __len__ = __iter__ = __getattr__ = refuse
    __array__ = __hash__ = __index__ = __format__ = refuse


class Dict(dict[str, Any]):
    items = values = keys = __iter__ = copy = __eq__ = __repr__ = __getitem__ = refuse
    __hash__ = None


class Key(str):
    """A text whose comparison counts, and its hash too once it is in a dict."""

    armed = False

    def __hash__(self) -> int:
        return int(refuse(self)) if self.armed else str.__hash__(self)

    def __eq__(self, other: object) -> bool:
        return bool(refuse(self))


VALUES = {
    "hostile": Hostile(),
    "nested": {"a": {"b": [1, 2.5, Hostile()]}},
    "nan": float("nan"),
    "inf": float("-inf"),
    "huge": 10**400,
    "array": np.arange(6.0).reshape(2, 3),
    "scalar": np.float32(1.5),
    "complex": 1j,
    "tensor": tf.constant([1.0, 2.0]),
    "variable": tf.Variable(3.0),
    "none": None,
    "text": "half a pair: \ud800",
    "bytes": b"\xff" * 40,
    "half a key: \udc80": 1.0,
    "dict": Dict(a=1),
}


class Spoiler(Callback, metaclass=Unhashable):
    """Puts all of them into the logs, which `History` at the end of the list is given too."""

    def on_train_batch_end(self, batch: int, logs: dict[Any, Any]) -> None:
        logs.update(VALUES)
        logs["a", 1] = 1.0
        logs[7] = 2.0

    def on_epoch_end(self, epoch: int, logs: dict[Any, Any]) -> None:
        logs.update(VALUES)

    def on_train_batch_begin(self, batch: int, logs: dict[Any, Any]) -> None:
        key = Key("armed")
        logs[key] = 1.0
        key.armed = True


def hostile(script: Script) -> None:
    kind = type(VALUES["tensor"])
    names = ["numpy", "__array__", "__float__", "__bool__", "__repr__", "__str__", "__int__", "shape"]
    originals = {name: getattr(kind, name) for name in names}
    counts = dict.fromkeys(names, 0)

    def counting(name: str) -> Callable[..., Any]:
        def method(self: Any, *arguments: Any, **named: Any) -> Any:
            counts[name] += 1
            return originals[name](self, *arguments, **named)

        return method

    def shape(self: Any) -> Any:
        counts["shape"] += 1
        return originals["shape"].__get__(self)

    model = network()
    for name in names:
        setattr(kind, name, property(shape) if name == "shape" else counting(name))
    try:
        script.fit(model, *rows(32), batch_size=16, epochs=2, callbacks=[Spoiler(), script.witness("After")])
    finally:
        for name in names:
            setattr(kind, name, originals[name])
    script.seen["touched"] = touched[:]
    script.seen["conversions"] = counts
