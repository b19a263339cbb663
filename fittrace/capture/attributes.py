"""Attributes: what the engine's objects keep in their instance dicts, which are read without running a property."""

from __future__ import annotations

from typing import Any

from ..schema.journal import ABSENT


def of_model(owner: object) -> dict[str, Any]:
    """The instance dict of the model that a callback list or a callback works for, empty where it has none.

    No property is run for it. The list of Keras 2.2 does not know its model; its first callback, Keras' own, does.
    """
    own = _own(owner)
    callbacks = own.get("callbacks")
    if "model" not in own and "_model" not in own and type(callbacks) is list and callbacks:
        own = _own(callbacks[0])
    model = own.get("model")
    return _own(own.get("_model") if model is None else model)


def monitored(owner: object) -> dict[str, Any]:
    """What the callbacks of a callback list monitor, and whether they save only what is best by it.

    Those are meant that compare values as Keras' own do, with a `monitor_op`. Only instance dicts are looked at, so
    that no property is run.

    >>> early, plain = type("Early", (), {})(), object()
    >>> early.monitor, early.monitor_op = "val_loss", min
    >>> monitored(type("Callbacks", (), {"__init__": lambda self: setattr(self, "callbacks", [plain, early])})())
    {'callbacks[1].monitor': 'val_loss'}
    """
    told: dict[str, Any] = {}
    callbacks = _own(owner).get("callbacks")
    for place, callback in enumerate(callbacks if type(callbacks) is list else ()):
        own = _own(callback)
        if type(own.get("monitor")) is str and "monitor_op" in own:
            for name in ("monitor", "save_best_only"):
                if name in own:
                    told["callbacks[%d].%s" % (place, name)] = own[name]
    return told


def number_at(thing: object, path: str) -> int:
    """The number at an attribute path such as `data_adapter._size`, read from instance dicts alone, or `ABSENT`."""
    for name in path.split("."):
        thing = _own(thing).get(name)
    return thing if type(thing) is int and thing >= 0 else ABSENT


def _own(thing: object) -> dict[str, Any]:
    try:
        own: Any = object.__getattribute__(thing, "__dict__")
    except AttributeError:  # it has none, or is None
        return {}
    return own if issubclass(type(own), dict) else {}
