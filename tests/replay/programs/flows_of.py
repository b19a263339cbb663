"""What a program needs to be walked through: its engine, and `sys.settrace` around each fit.

With ORACLE in the environment, a file that names functions, a fit runs under `sys.settrace`, and `write` puts what that
saw of them, fit by fit, into the file SEEN. Python 3.7 and every Keras.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
from collections.abc import Callable
from typing import Any

import numpy as np


def engine(name: str) -> Any:
    if name == "tf_keras-v1":
        import tensorflow as tf

        tf.compat.v1.disable_v2_behavior()
    if name.startswith("tf_keras"):
        import tf_keras as keras
    elif name == "tf.keras":
        from tensorflow import keras
    else:
        import keras
    import tensorflow as tf

    if tf.executing_eagerly():
        keras.utils.set_random_seed(3)
    else:
        random.seed(3)
        np.random.seed(3)
        tf.compat.v1.set_random_seed(3)
    return keras


def oracle() -> Callable[[], Any] | None:
    if "ORACLE" not in os.environ:
        return None
    spec = importlib.util.spec_from_file_location("oracle", os.path.join(os.path.dirname(__file__), "..", "oracle.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with open(os.environ["ORACLE"]) as file:
        told = json.load(file)
    names = {}
    for path, functions in told.items():
        with open(path) as file:
            names[path] = (file.read(), functions)
    return lambda: module.Oracle(names)


ORACLE = oracle()
SEEN: list[Any] = []


def seen(scenario: str, run: Callable[[], object]) -> None:
    """Run one fit, under the oracle if there is one; what it raises is the scenario's own."""
    if ORACLE is None:
        attempt(run)
        return
    with ORACLE() as eye:
        attempt(run)
    SEEN.append([scenario, eye.seen, eye.after])


def attempt(run: Callable[[], object]) -> None:
    try:
        run()
    except (ValueError, TypeError) as error:
        assert "asked" in str(error), error


def write() -> None:
    """Write what was seen, where somebody wants to know."""
    if "SEEN" in os.environ:
        with open(os.environ["SEEN"], "w") as file:
            json.dump(SEEN, file)
