"""Rewritten code says of itself what the engine's own code says."""

from __future__ import annotations

import dis
import inspect
import re
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import pytest

from fittrace.capture.instrument.rewrite import rewrite
from fittrace.capture.instrument.syntax import RECORDER
from fittrace.capture.sites import Site

from .conftest import Tiny

SOURCE = """
import functools

def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

class Base:
    def begin(self):
        return "base"

class Data:
    size, per = 8, 1
    def __iter__(self):
        return iter([(0, 0), (1, 1)])

class Trainer(Base):
    @decorated
    @decorated
    def fit(self, data=Data(), *, epochs: int = 1, fail=False) -> list:
        "Trains."
        self.__hidden = super().begin()
        (
            seen,
            more,
        ) = [], [
            1,
        ]
        for epoch in range(
            epochs
        ):
            for first, last in data:
                self.train_function(
                    first,
                )
                if fail and last:
                    raise ValueError("asked to")
            if (
                fail
                and more
            ):
                seen.append(2)
            else:
                seen.append(1)
        with open(__file__) as file:
            seen.append(len(file.readline()))
        if not seen:
            return None
        return list(
            one + 1
            for one in seen
        )

    def train_function(self, batch):
        pass
"""


def events(module: types.ModuleType, **options: Any) -> list[tuple[str, str, int]]:
    """What a debugger is told of while a fit runs."""
    seen = []

    def local(frame: types.FrameType, event: str, argument: Any) -> Callable[..., Any]:
        seen.append((event, frame.f_code.co_name, frame.f_lineno))
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, *rest: local(frame, *rest) if frame.f_code.co_filename == module.__file__ else None)
    try:
        module.Trainer().fit(**options)
    except ValueError:
        pass
    finally:
        sys.settrace(before)
    return seen


def test_results_are_the_same(tiny: Tiny) -> None:
    assert tiny.load(SOURCE).Trainer().fit(epochs=2) == tiny.record(SOURCE).Trainer().fit(epochs=2) == [2, 2, 2]
    assert tiny.tape.words


def test_super_and_mangled_names_still_work(tiny: Tiny) -> None:
    trainer = tiny.record(SOURCE).Trainer()
    trainer.fit()
    assert vars(trainer) == {"_Trainer__hidden": "base"}


def test_a_debugger_is_told_of_the_same_lines(tiny: Tiny) -> None:
    assert events(tiny.load(SOURCE), epochs=2) == events(tiny.record(SOURCE), epochs=2)


def test_an_exception_adds_one_line_to_what_a_debugger_is_told(tiny: Tiny) -> None:
    """On its way out it is seen once, on the line of the `def`."""
    plain, traced = (events(load(SOURCE), fail=True) for load in (tiny.load, tiny.record))
    start = inspect.unwrap(tiny.load(SOURCE).Trainer.fit).__code__.co_firstlineno + 2
    assert [event for event in traced if event != ("line", "fit", start)] == [
        event if event[0] != "return" or event[1] != "fit" else ("return", "fit", start) for event in plain
    ]


def test_tracebacks_are_the_same(tiny: Tiny) -> None:
    texts = []
    for load in (tiny.load, tiny.record):
        with pytest.raises(ValueError, match="asked to") as caught:
            load(SOURCE).Trainer().fit(fail=True)
        texts.append("".join(traceback.format_exception(caught.value)[2:]))
    assert texts[0] == texts[1] and 'raise ValueError("asked to")' in texts[0]


FACTS = "name filename firstlineno freevars cellvars varnames argcount kwonlyargcount flags"


@pytest.mark.parametrize("what", FACTS.split())
def test_the_code_tells_the_same_of_itself(tiny: Tiny, what: str) -> None:
    plain, traced = (inspect.unwrap(load(SOURCE).Trainer.fit).__code__ for load in (tiny.load, tiny.record))
    assert plain.co_code != traced.co_code
    assert getattr(plain, "co_" + what) == getattr(traced, "co_" + what)


def test_inspection_tells_the_same(tiny: Tiny) -> None:
    told = []
    for load in (tiny.load, tiny.record):
        function = load(SOURCE).Trainer.fit
        signature = re.sub("0x[0-9a-f]+", "", str(inspect.signature(function)))
        told.append([inspect.getsource(function), signature, function.__doc__, function.__annotations__])
    assert told[0] == told[1] and "epochs: int = 1" in told[0][1]


def test_no_line_runs_that_the_source_does_not_have(tiny: Tiny) -> None:
    code = inspect.unwrap(tiny.record(SOURCE).Trainer.fit).__code__
    lines = {line for _, line in dis.findlinestarts(code) if line is not None}
    assert lines <= set(range(code.co_firstlineno, code.co_firstlineno + len(inspect.getsource(code).splitlines())))


def test_the_recorder_is_in_the_code_and_nowhere_else(tiny: Tiny) -> None:
    module = tiny.record(SOURCE)
    code = inspect.unwrap(module.Trainer.fit).__code__
    assert any(getattr(constant, "recorder", None) is tiny.tape for constant in code.co_consts)
    assert RECORDER not in code.co_consts
    assert not any(value is tiny.tape for value in vars(module).values())


def test_source_that_python_cannot_read_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        rewrite("def f(:", "tiny.py", (), Site)
