"""Attributes of the engine's objects, read from instance dicts, so that no property runs."""

from __future__ import annotations

from typing import Any

from ...schema.journal_format import ABSENT


def model_of(owner: object) -> object:
    """The model that a callback list or a callback works for; None where it has none.

    No property is run for it. The list of Keras 2.2 does not know its model; its first callback, Keras' own, does.
    """
    found = own(owner)
    callbacks = found.get("callbacks")
    if "model" not in found and "_model" not in found and type(callbacks) is list and callbacks:
        found = own(callbacks[0])
    model = found.get("model")
    return found.get("_model") if model is None else model


def of_model(owner: object) -> dict[str, Any]:
    """The instance dict of that model, empty where there is none."""
    return own(model_of(owner))


def number_at(thing: object, path: str) -> int:
    """The number at an attribute path such as `data_adapter._size`, read from instance dicts alone, or `ABSENT`."""
    for name in path.split("."):
        thing = own(thing).get(name)
    return thing if type(thing) is int and thing >= 0 else ABSENT


def own(thing: object) -> dict[str, Any]:
    """The instance dict of `thing`, empty where it has none."""
    try:
        found: Any = object.__getattribute__(thing, "__dict__")
    except AttributeError:  # it has none, or is None
        return {}
    return found if issubclass(type(found), dict) else {}
