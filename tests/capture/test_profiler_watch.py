"""The program's ways to the profiler let fittrace give way first, and are otherwise what they were."""

from __future__ import annotations

import importlib
import inspect
import marshal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from fittrace.capture.instrument import profiler_watch
from fittrace.capture.instrument.profiler_watch import Watch
from fittrace.capture.sampling.profiler import Profiler
from fittrace.engines.profiler_entries import Way

SOURCE = '''\
def start(folder, options=None):
    """Begin."""
    return folder, options


def once():
    return "ran"


class Session:
    def run(self, fetches, options=None):
        raise ValueError(fetches)
'''
WAYS = (Way("tensorflows_own", "start"), Way("tensorflows_own", "Session.run", options="options"))


class Traced:
    trace_level = 3


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(profiler_watch, "WAYS", WAYS)
    (tmp_path / "tensorflows_own.py").write_text(SOURCE)
    yield tmp_path
    sys.modules.pop("tensorflows_own", None)


def imported() -> Any:
    return importlib.import_module("tensorflows_own")


def watch() -> tuple[Watch, Profiler]:
    profiler = Profiler()
    return Watch(profiler, lambda where, error: pytest.fail(f"{where}: {error!r}")), profiler


@pytest.mark.parametrize("is_there_before", [True, False])
def test_a_way_gives_the_profiler_up_before_it_runs(place: Path, is_there_before: bool) -> None:
    one, profiler = watch()
    module = imported() if is_there_before else None
    one.install()
    module = module or imported()
    assert one.unseen() is None and profiler.reason is None
    try:
        assert module.start("here", options=2) == ("here", 2)
        assert "tensorflows_own.start" in str(profiler.reason)
    finally:
        one.undo()


def test_a_call_gives_it_up_only_where_its_options_take_it(place: Path) -> None:
    one, profiler = watch()
    one.install()
    session = imported().Session()
    try:
        with pytest.raises(ValueError, match="told") as caught:
            session.run("told")
        assert profiler.reason is None
        # The traceback is what it would be.
        (_, inside) = traceback.extract_tb(caught.value.__traceback__)
        assert inside.line == "raise ValueError(fetches)" and inside.name == "run"
        with pytest.raises(ValueError, match="told"):
            session.run("told", Traced())
        assert "Session.run" in str(profiler.reason)
    finally:
        one.undo()


def test_functions_stay_what_they_are_and_get_their_code_back(place: Path) -> None:
    module = imported()
    before = module.start, module.start.__code__, module.once.__code__, inspect.getsource(module.start)
    one, profiler = watch()
    one.install()
    code = module.start.__code__
    assert code is not before[1] and module.once.__code__ is before[2]
    same = ("co_name", "co_filename", "co_firstlineno", "co_varnames", "co_freevars", "co_argcount", "co_flags")
    assert [getattr(code, name) for name in same] == [getattr(before[1], name) for name in same]
    assert module.start.__doc__ == "Begin." and inspect.getsource(module.start) == before[3]
    one.undo()
    assert (module.start, module.start.__code__) == before[:2]
    assert module.start("here")
    assert profiler.reason is None
    one.install()
    assert module.start("here")
    assert "tensorflows_own.start" in str(profiler.reason)
    one.undo()


def test_code_that_is_sent_elsewhere_does_there_what_it_did(place: Path) -> None:
    module = imported()
    one, profiler = watch()
    one.install()
    try:
        start, run = (
            FunctionType(marshal.loads(marshal.dumps(function.__code__)), {})
            for function in (module.start, module.Session.run)
        )
        assert start("here", 2) == ("here", 2)
        with pytest.raises(ValueError, match="told"):
            run(None, "told", Traced())
        assert profiler.reason is None
        assert module.start("here") and profiler.reason is not None
    finally:
        one.undo()


def rename(place: Path) -> None:
    (place / "tensorflows_own.py").write_text(SOURCE.replace("def start", "def begin"))


def remove_source(place: Path) -> None:
    module = ModuleType("tensorflows_own")
    exec(SOURCE, vars(module))
    sys.modules["tensorflows_own"] = module


def replace_function(place: Path) -> None:
    imported().start = lambda folder: None


@pytest.mark.parametrize("change", [rename, remove_source, replace_function])
def test_a_way_that_is_not_watched_is_named(place: Path, change: Any) -> None:
    change(place)
    one, _ = watch()
    one.install()
    imported()
    try:
        assert "tensorflows_own.start" in str(one.unseen())
    finally:
        one.undo()


def test_a_way_that_somebody_else_changes_is_not_watched_any_more(place: Path) -> None:
    module = imported()
    one, _ = watch()
    one.install()
    module.start.__code__ = module.once.__code__
    assert "once" in str(one.unseen()) or "start" in str(one.unseen())
    one.undo()
    # And what they put there is theirs.
    assert module.start.__code__ is module.once.__code__


def test_nothing_is_watched_after_the_end(place: Path) -> None:
    imported()
    one, _ = watch()
    one.install()
    one.undo()
    assert "start" in str(one.unseen())


def test_an_optional_way_may_be_missing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiler_watch, "WAYS", (*WAYS, Way("tensorflows_own", "serve", optional=True)))
    one, _ = watch()
    one.install()
    imported()
    assert one.unseen() is None
    one.undo()
