"""The line of the program that called a method of the engine."""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

import pytest

from fittrace.capture.record.callers import Caller, caller_of


def called(*frames: tuple[str, str]) -> Caller | None:
    """The caller of a method that is called through `frames`, each a module and a file, the outermost first."""
    found: list[Caller | None] = []

    def method() -> None:
        found.append(caller_of(sys._getframe()))

    inner: Any = method
    for module, file in reversed(frames):
        code: CodeType = compile("\n\ndef calls(): inner()\n", file, "exec")
        namespace: dict[str, Any] = {"__name__": module, "inner": inner}
        exec(code, namespace)
        inner = namespace["calls"]
    inner()
    return found[0]


PROGRAM = ("__main__", "/home/me/train.py")
ENGINE = ("keras.src.utils.traceback_utils", "/x/lib/python3.11/site-packages/keras/src/utils/traceback_utils.py")
LIBRARY = ("mlflow.safe", "/x/lib/python3.11/site-packages/mlflow/safe.py")
STANDARD = ("contextlib", sys.modules["contextlib"].__file__ or "")


@pytest.mark.parametrize(
    ("frames", "file"),
    [
        ([PROGRAM], PROGRAM[1]),
        ([PROGRAM, ENGINE], PROGRAM[1]),
        ([PROGRAM, LIBRARY, STANDARD, ENGINE], PROGRAM[1]),
        ([PROGRAM, ("helpers", "/home/me/helpers.py"), ENGINE], "/home/me/helpers.py"),
        ([PROGRAM, ("__main__", "<string>")], PROGRAM[1]),
        ([PROGRAM, ("__main__", "<ipython-input-3-ab>")], "<ipython-input-3-ab>"),
        # An engine that a program has changed is still the engine.
        ([PROGRAM, ("keras", "/home/me/keras/trainer.py")], PROGRAM[1]),
    ],
)
def test_the_innermost_file_of_the_program_is_the_caller(frames: list[tuple[str, str]], file: str) -> None:
    assert called(*frames) == Caller(file, "calls", 3)


def test_without_a_file_of_the_program_it_is_what_called_the_engine() -> None:
    frame = type("Frame", (), {})
    outer = frame()
    outer.f_back, outer.f_globals, outer.f_lineno = None, {"__name__": "mlflow.safe"}, 8
    outer.f_code = type("Code", (), {"co_filename": LIBRARY[1], "co_name": "train"})
    engine = frame()
    engine.f_back, engine.f_globals, engine.f_code = outer, {"__name__": "keras.src"}, outer.f_code
    method = frame()
    method.f_back = engine
    assert caller_of(method) == Caller(LIBRARY[1], "train", 8)
    engine.f_back = None
    assert caller_of(method) is None


def test_globals_of_a_program_run_none_of_its_code() -> None:
    class Globals(dict[str, Any]):
        def get(self, *key: Any) -> Any:
            raise AssertionError

    frame = type("Frame", (), {})()
    frame.f_back, frame.f_globals, frame.f_lineno = None, Globals(__name__=3), None
    frame.f_code = type("Code", (), {"co_filename": PROGRAM[1], "co_name": "train"})
    method = type("Frame", (), {"f_back": frame})()
    assert caller_of(method) == Caller(PROGRAM[1], "train", 0)
