"""What a program needs to be walked through: its engine, and `sys.settrace` around each fit.

With ORACLE in the environment, a file that names functions, a fit runs under `sys.settrace`, and `write` puts what that
saw of them, fit by fit, into the file SEEN. Python 3.7 and every Keras.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from typing import Any

TESTS = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir)
sys.path.append(os.path.join(TESTS, "engines", "programs"))
from started import engine as started_engine  # noqa: E402


def engine(name: str) -> Any:
    """The Keras of that name, on one thread and from one seed."""
    return started_engine(name)[1]


def make_oracle() -> Callable[[], Any] | None:
    """The function that makes an `Oracle` of the functions that ORACLE names. None without ORACLE."""
    if "ORACLE" not in os.environ:
        return None
    spec = importlib.util.spec_from_file_location("oracle", os.path.join(TESTS, "replay", "oracle.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with open(os.environ["ORACLE"]) as file:
        functions_by_path = json.load(file)
    names = {}
    for path, functions in functions_by_path.items():
        with open(path) as file:
            names[path] = (file.read(), functions)
    return lambda: module.Oracle(names)


ORACLE = make_oracle()
SEEN: list[Any] = []


def seen(scenario: str, run: Callable[[], object]) -> None:
    """Run one fit, under `sys.settrace` if there is an ORACLE."""
    if ORACLE is None:
        attempt(run)
        return
    with ORACLE() as oracle:
        attempt(run)
    SEEN.append([scenario, oracle.seen, oracle.after])


def attempt(run: Callable[[], object]) -> None:
    """Run one fit. Only the exceptions that the scenario asked for may come out of it."""
    try:
        run()
    except (ValueError, TypeError) as error:
        assert "asked" in str(error), error


def write() -> None:
    """Write what was seen into the file SEEN, if the environment names one."""
    if "SEEN" in os.environ:
        with open(os.environ["SEEN"], "w") as file:
            json.dump(SEEN, file)
