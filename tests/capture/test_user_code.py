"""A program's own functions: which of them record, and what is said of those that cannot."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import pytest
from owning import Owning

from fittrace.capture.instrument import user_code
from fittrace.capture.instrument.main_thread import owned
from fittrace.capture.sites import Site


class Base:
    def on_epoch_begin(self, epoch: int) -> Any:
        return epoch

    def helper(self) -> None:
        """No hook."""


def wrapped(function: Callable[..., Any]) -> Any:
    @functools.wraps(function)
    def call(*args: Any) -> Any:
        return function(*args)

    return call


class Mine(Base):
    on_nothing = "no function"

    @wrapped
    def on_epoch_end(self, epoch: int) -> Any:
        if epoch:
            return "late"
        return "early"

    def train_step(self, data: Any) -> Any:
        return data

    @property
    def on_property(self) -> None:
        raise AssertionError("no property is run")


def names(functions: Any) -> list[str]:
    return [function.__qualname__ for function in functions]


def test_hooks_and_steps_of_a_class_and_its_bases() -> None:
    assert names(user_code.hooks_of(Mine)) == ["Mine.on_epoch_end", "Base.on_epoch_begin"]
    assert names(user_code.steps_of(Mine)) == ["Mine.train_step"]
    assert all(type(function) is types.FunctionType for function in user_code.hooks_of(Mine))


@pytest.fixture
def sites() -> list[Site]:
    return []


class Recorder(Owning):
    """Notes the kind of each site that records, as of a thread that is not the owner."""

    is_owner = False

    def __init__(self, sites: list[Site]) -> None:
        self.sites = sites
        self.kinds: list[str] = []

    def step(self, head: int, *_: object) -> None:
        self.kinds.append(self.sites[-head - 1].kind)

    mark = values = record = named = hook = hooks = hooked = hooked_of_owner = hooked_last = step
    sampler = None


def test_their_lines_record_and_they_do_what_they_did(sites: list[Site]) -> None:
    recorder = Recorder(sites)
    constants = owned(recorder)
    (outcome,) = user_code.install_own(list(user_code.hooks_of(Mine)), constants, sites, frozenset(), variables=False)
    try:
        assert outcome.missing == [] and outcome.file == __file__
        assert (Mine().on_epoch_end(0), Mine().on_epoch_end(1)) == ("early", "late")
        # Into it, the `if` and the `return`, each with a clock; the other arm; out of it.
        assert recorder.kinds == ["enter", "line", "line", "exit", "enter", "line", "line", "exit"]
        assert [drawn.name for drawn in outcome.graphs] == ["Mine.on_epoch_end", "Base.on_epoch_begin"]
    finally:
        for installed in outcome.installed:
            installed.undo()
    assert Mine().on_epoch_end(1) == "late" and len(recorder.kinds) == 8


def test_what_has_no_source_is_told(sites: list[Site]) -> None:
    namespace: dict[str, Any] = {"__name__": "typed"}
    exec(compile("class Typed:\n    def on_epoch_end(self, epoch): return epoch", "<nowhere>", "exec"), namespace)
    (outcome,) = user_code.install_own(
        list(user_code.hooks_of(namespace["Typed"])), {}, sites, frozenset(), variables=False
    )
    assert outcome.installed == [] and outcome.missing == ["the source of Typed.on_epoch_end"]
