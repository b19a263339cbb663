"""The gates around what runs a batch: one look while nothing is sampled, and nothing that the engine could notice."""

from __future__ import annotations

import importlib
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
from owning import Owning

from fittrace.capture.instrument.install import install
from fittrace.capture.instrument.main_thread import owned
from fittrace.capture.sites import Site
from fittrace.engines import Cached, Calls, Engine, Function, Loop, Phase, SessionRun
from fittrace.engines import Tests as If

SOURCE = """
class Backend:
    def __init__(self):
        self.cached = lambda *values, **more: ("cached", values, more)
        self.theirs = None

    def call(self, values):
        feeds = list(values)
        if self.theirs:
            found = self.cached(*values,
                                run_metadata=self.theirs)
        else:
            found = self.cached(
                *values,
            )
        return found

class Older:
    keywords = {"options": "theirs"}

    def run(self, values, **more):
        return values, more

    def call(self, values):
        session = self
        updated = session.run(fetches(values),
                              **self.keywords)
        return updated[:2]

def fetches(values):
    return tuple(values)

def fit(backend, mode="train", epochs=2, batches=3):
    results = []
    for epoch in range(epochs):
        for step in range(batches):
            result = backend.call([epoch, step])
            results.append(result)
    return results
"""
TABLE = (
    Function(
        "gated",
        "fit",
        phase="fit",
        stage="train",
        stage_in="mode",
        loops=(Loop("epoch", target="epoch", number=("epoch",)), Loop("batch", target="step", number=("step",))),
        phases=(Phase("function", Calls("call"), inside=("batch",), sampled="session"),),
    ),
    Function(
        "gated",
        "Backend.call",
        phase="function",
        phases=(Phase("function", If("theirs")),),
        session=Cached("cached", "make", ("feeds",)),
    ),
    Function("gated", "Older.call", phase="function", session=SessionRun("keywords")),
)


class Recorder(Owning):
    """A recorder whose sampler samples some batches and writes down what the gates ask of it."""

    def __init__(self, wanted: set[tuple[int, int]]) -> None:
        self.sampler = self
        self.wanted = wanted
        self.wants = bool(wanted)
        self.is_open = False
        self.callable = lambda *values, **more: ("sampled", values, more)
        self.metadata = "ours"
        self.keywords = {"options": "theirs and ours", "run_metadata": "ours"}
        self.asked: list[Any] = []

    def begin(self, close: int, how: str, stage: str, epoch: int, batch: int, last: int) -> None:
        self.is_open = (epoch, batch) in self.wanted
        self.asked.append((how, stage, epoch, batch, last))

    def end(self, close: int) -> None:
        self.is_open = False

    def takes(self, function: Any, name: str, maker: str, arguments: tuple[Any, ...]) -> bool:
        self.asked.append((name, maker, arguments))
        return not function.theirs

    def runs(self, keywords: dict[str, str]) -> bool:
        self.asked.append(keywords)
        return True

    def record(self, *of_a_probe: Any) -> None: ...

    hook = hooked = hooked_of_owner = hooked_last = hooks = mark = named = step = leave_root = unwind_root = unwind = (
        raised
    ) = record


@pytest.fixture(params=[True, False], ids=["owner", "another thread"])
def gated(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, which is recorded on the thread that the capture belongs to, and as if on another."""
    (tmp_path / "gated.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "gated", raising=False)
    module = importlib.import_module("gated")
    module.is_owner = request.param  # type: ignore[attr-defined]
    return module


def record(module: ModuleType, *wanted: tuple[int, int]) -> Recorder:
    recorder, sites = Recorder(set(wanted)), list[Site]()
    constants = owned(recorder)
    recorder.is_owner = module.is_owner
    outcome = install(module, Engine("gated", "gated", "gated", ("1",), TABLE), constants, sites)
    assert not outcome.missing
    return recorder


Drawn = tuple[int, list[int], list[int], Literal[False] | str]
"""A node of a flow graph: its line, what follows, what follows an exception, and the kind of its site or False."""


def test_a_gate_is_no_part_of_the_control_flow(gated: ModuleType) -> None:
    """So that the way of a sampled batch is the way of any other."""

    def drawn(
        table: tuple[Function, ...],
    ) -> list[tuple[str, list[Drawn]]]:
        sites = list[Site]()
        outcome = install(gated, Engine("gated", "gated", "gated", ("1",), table), owned(Recorder(set())), sites)
        shown = [
            (
                one.name,
                [(node.line, node.next, node.raises, node.site >= 0 and sites[node.site].kind) for node in one.nodes],
            )
            for one in outcome.graphs
        ]
        for installed in outcome.installed:
            installed.undo()
        return shown

    fit, *calls = TABLE
    without = replace(fit, phases=(Phase("function", Calls("call"), inside=("batch",)),))
    plain = (without, *(replace(call, session=None) for call in calls))
    assert drawn(TABLE) == drawn(plain)
    assert len(drawn(plain)) == 3


def test_only_the_sampled_batch_calls_the_double(gated: ModuleType) -> None:
    recorder = record(gated, (0, 1))
    results = gated.fit(gated.Backend())
    assert results.pop(1) == ("sampled", (0, 1), {"run_metadata": "ours"})
    others = [(0, 0), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert results == [("cached", values, {}) for values in others]
    assert recorder.asked[:3] == [
        ("session", "train", 0, 0, 0), ("session", "train", 0, 1, 1), ("cached", "make", ([0, 1],)),
    ]  # fmt: skip


def test_only_the_sampled_batch_runs_with_other_keywords(gated: ModuleType) -> None:
    recorder = record(gated, (0, 1))
    results = gated.fit(gated.Older())
    assert results.pop(1) == ((0, 1), recorder.keywords)
    assert len(results) == 5 and all(more == {"options": "theirs"} for _, more in results)
    assert {"options": "theirs"} in recorder.asked


def test_metadata_of_the_programs_own_goes_the_way_it_went(gated: ModuleType) -> None:
    record(gated, (0, 1))
    backend = gated.Backend()
    backend.theirs = "theirs"
    assert gated.fit(backend)[1] == ("cached", (0, 1), {"run_metadata": "theirs"})


def test_the_stage_is_the_engines_own_word(gated: ModuleType) -> None:
    recorder = record(gated, (0, 1))
    gated.fit(gated.Backend(), mode="test")
    assert {asked[1] for asked in recorder.asked if asked[0] == "session"} == {"test"}


def test_nothing_is_asked_while_nothing_is_wanted(gated: ModuleType) -> None:
    recorder = record(gated)
    gated.fit(gated.Backend())
    assert recorder.asked == []


def test_a_call_that_raises_ends_the_sample_and_has_its_own_traceback(gated: ModuleType) -> None:
    def refuse(*values: int, **more: Any) -> None:
        raise KeyError(values)

    def raised() -> tuple[list[Any], str]:
        backend = gated.Backend()
        backend.cached = refuse
        try:
            gated.fit(backend)
        except KeyError as error:
            frames = traceback.extract_tb(error.__traceback__)[1:]
            columns = [(getattr(one, "colno", 0), getattr(one, "end_colno", 0)) for one in frames]
            facts = [(one.lineno, one.name, one.line, *where) for one, where in zip(frames, columns, strict=True)]
            return facts, repr(error.__context__)
        raise AssertionError

    plain = raised()
    recorder = record(gated, (0, 0))
    recorder.callable = refuse  # type: ignore[assignment]
    assert raised() == plain
    assert not recorder.is_open


def test_a_debugger_is_told_of_the_same_lines(gated: ModuleType) -> None:
    def lines() -> list[tuple[str, str, int]]:
        events: list[tuple[str, str, int]] = []

        def local(frame: Any, event: str, argument: Any) -> Any:
            events.append((event, frame.f_code.co_name, frame.f_lineno))
            return local

        before = sys.gettrace()
        sys.settrace(lambda frame, event, _: local if frame.f_code.co_filename.endswith("gated.py") else None)
        try:
            gated.fit(gated.Backend())
            gated.fit(gated.Older())
        finally:
            sys.settrace(before)
        return [event for event in events if event[1] != "<lambda>"]

    plain = lines()
    recorder = record(gated, (0, 1), (1, 2))
    assert lines() == plain
    assert recorder.asked
