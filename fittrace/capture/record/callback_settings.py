"""The settings of callbacks and of their model, as a fit begins.

They are read from instance dicts and classes, so that no property and no method of the program runs.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from ..isolation.class_names import names_of
from . import attributes
from .callers import is_engines

HOOKS = tuple(
    "on_%s" % name
    for name in (
        "train_begin",
        "train_end",
        "epoch_begin",
        "epoch_end",
        "batch_begin",
        "batch_end",
        "train_batch_begin",
        "train_batch_end",
        "test_begin",
        "test_end",
        "test_batch_begin",
        "test_batch_end",
        "predict_begin",
        "predict_end",
        "predict_batch_begin",
        "predict_batch_end",
    )
)
"""Every hook that Keras has."""

OF_CALLBACKS = (
    "best",
    "initial_value_threshold",
    "save_best_only",
    "save_weights_only",
    "save_freq",
    "period",
    "mode",
    "patience",
    "min_delta",
    "baseline",
    "restore_best_weights",
    "start_from_epoch",
    "factor",
    "cooldown",
    "min_lr",
    "update_freq",
    "profile_batch",
    "histogram_freq",
)
"""Settings of Keras' own callbacks. Any callback's are recorded by these names alone: others may be secrets."""

OF_MODEL = ("optimizer", "loss", "loss_weights", "jit_compile", "run_eagerly", "steps_per_execution")
"""What `compile` sets on a model, with or without an underscore before it."""


def of_list(owner: object) -> dict[str, Any]:
    """The settings of a callback list and its model, by name.

    They are the hooks for which each callback has a method, and the line where the program defines it; what the
    callback monitors, its other settings, and what `compile` was given. A callback that is in the list twice has
    `same_as`, the position at which it is first. A model with a `train_step` of the program's own has its line.

    >>> own = {"on_epoch_end": lambda self, epoch, logs=None: None, "patience": 3}
    >>> callbacks = [type("Mine", (type("Callback", (), {}),), {})()]
    >>> vars(callbacks[0]).update(own)
    >>> settings = of_list(type("List", (), {"__init__": lambda self: setattr(self, "callbacks", callbacks)})())
    >>> [name.partition(".")[2] for name in settings], settings["callbacks[0].patience"]
    (['on_epoch_end', 'patience'], 3)
    """
    settings: dict[str, Any] = {}
    callbacks = attributes.own(owner).get("callbacks")
    first: dict[int, int] = {}
    for index, callback in enumerate(callbacks if type(callbacks) is list else ()):
        for name, value in _of_callback(callback):
            settings["callbacks[%d].%s" % (index, name)] = value
        if first.setdefault(id(callback), index) != index:
            settings["callbacks[%d].same_as" % index] = first[id(callback)]
    for name, value in _line_of(_method(type(attributes.model_of(owner)), "train_step", "Model")):
        settings["model.train_step.%s" % name] = value
    model = attributes.of_model(owner)
    for name in OF_MODEL:
        if name in model or "_" + name in model:
            settings["compile.%s" % name] = model[name if name in model else "_" + name]
    return settings


def _of_callback(callback: object) -> list[tuple[str, Any]]:
    own = attributes.own(callback)
    settings: list[tuple[str, Any]] = []
    for hook in HOOKS:
        method = own[hook] if hook in own else _method(type(callback), hook, "Callback")
        if method is not None:
            settings.append((hook, True))
            settings += [("%s.%s" % (hook, name), value) for name, value in _line_of(method)]
    # What Keras' own callbacks compare by has a `monitor_op` beside it; another's `monitor` may be anything.
    if type(own.get("monitor")) is str and "monitor_op" in own:
        settings.append(("monitor", own["monitor"]))
    return settings + [(name, own[name]) for name in OF_CALLBACKS if name in own]


def _method(kind: type, name: str, keras_class: str) -> object:
    """What a class, or one between it and a class of Keras, has for a method; None if they have nothing.

    - `kind`: the class.
    - `name`: the name of the method.
    - `keras_class`: the name of Keras' class, whose own methods do not count.
    """
    classes = type.__dict__["__mro__"].__get__(kind)
    bases = [index for index, base in enumerate(classes) if names_of(base)[1] == keras_class]
    # A callback that is none of Keras' classes has all of its methods from its own.
    for base in classes[: bases[-1]] if bases else classes:
        methods = type.__dict__["__dict__"].__get__(base)
        if name in methods:
            found: object = methods[name]
            return found
    return None


def _line_of(method: object) -> list[tuple[str, Any]]:
    """Where the program defines a function. Nothing for what is no plain function, and for the engine's own."""
    if type(method) is not FunctionType or is_engines(method.__globals__):
        return []
    return [("file", method.__code__.co_filename), ("line", method.__code__.co_firstlineno)]
