"""Traces itself twice, after Keras is imported, and prints what it finds of its process before, inside and after."""

from __future__ import annotations

import inspect
import json
import sys
import threading
from typing import Any

import keras

import fittrace

sys.path.insert(0, sys.argv[2])
import rooms  # type: ignore[import-not-found]  # the test writes it


def state() -> dict[str, Any]:
    return {
        "codes": [id(function.__code__) for function in rooms.FUNCTIONS],
        "sources": [inspect.getsource(function) for function in rooms.FUNCTIONS],
        "meta_path": [id(one) for one in sys.meta_path],
        "threads": [one.name for one in threading.enumerate()],
    }


told: dict[str, Any] = {"before": state(), "paths": []}
for number in (1, 2):
    rooms.fit(number)
    try:
        with fittrace.trace(out=sys.argv[1]) as run:
            told[f"inside-{number}"] = state()
            rooms.fit(10 * number)
            with fittrace.trace(out=sys.argv[1]) as again:
                told[f"same-{number}"] = again.path == run.path
                rooms.fit(10 * number)
            if number == 2:
                raise KeyError("from the block")
    except KeyError as error:
        told["error"] = str(error)
    told[f"after-{number}"] = state()
    told["paths"].append(str(run.path))
rooms.fit(3)
told["keras"] = keras.__version__
print(json.dumps(told))
