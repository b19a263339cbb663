"""The profiler is borrowed, and given back before anybody else tries to have it."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from fittrace.capture.sampling.profiler import MODULE, PROGRAMS_OWN, Profiler


class AlreadyExistsError(Exception):
    pass


class TensorFlows:
    """What TensorFlow has: one profiler. A session's methods do what a test puts before and after them."""

    def __init__(self) -> None:
        self.active: Any = None
        self.around: dict[str, Any] = {}
        self.refused: list[str] = []
        self.stops = 0

    def theirs(self, profiler: Profiler, way: str = "start") -> None:
        """The program takes the profiler."""
        profiler.give_way(way)
        if self.active is not None:
            self.refused.append(way)
        self.active = way

    def step(self, name: str) -> None:
        self.around.pop(name, lambda: None)()


@pytest.fixture
def tensorflows(monkeypatch: pytest.MonkeyPatch) -> TensorFlows:
    found = TensorFlows()

    class ProfilerSession:
        def start(self, folder: str, options: dict[str, int]) -> None:
            found.step("before start")
            if found.active is not None:
                raise AlreadyExistsError
            found.active = self
            found.step("after start")

        def stop(self) -> bytes:
            assert found.active is self, "another's session"
            found.step("before stop")
            found.active = None
            found.stops += 1
            return b"seen"

    monkeypatch.setitem(sys.modules, MODULE, SimpleNamespace(ProfilerSession=ProfilerSession))
    monkeypatch.setitem(sys.modules, PROGRAMS_OWN, SimpleNamespace(_profiler=None))
    return found


def test_it_is_borrowed_again_and_again(tensorflows: TensorFlows) -> None:
    profiler = Profiler()
    for _ in range(3):
        assert profiler.take() is None and tensorflows.active
        assert profiler.let_go() == b"seen" and tensorflows.active is None
    assert profiler.reason is None


def test_one_at_a_time_has_it(tensorflows: TensorFlows) -> None:
    profiler = Profiler()
    assert profiler.take() is None
    assert "another fit" in str(profiler.take())
    assert profiler.let_go() == b"seen"
    assert profiler.take() is None


def test_the_program_gets_it_at_once_and_for_good(tensorflows: TensorFlows) -> None:
    profiler = Profiler()
    assert profiler.take() is None
    tensorflows.theirs(profiler, "a.way")
    assert not tensorflows.refused
    assert profiler.let_go() is None and tensorflows.active == "a.way"
    tensorflows.active = None
    assert "a.way" in str(profiler.take()) and tensorflows.active is None


@pytest.mark.parametrize("moment", ["before start", "after start"])
def test_the_program_comes_from_another_thread_while_it_starts(tensorflows: TensorFlows, moment: str) -> None:
    profiler = Profiler()
    thread = threading.Thread(target=tensorflows.theirs, args=(profiler,))

    def come() -> None:
        thread.start()
        while profiler.reason is None:
            pass

    tensorflows.around[moment] = come
    assert profiler.take() == profiler.reason
    thread.join()
    assert not tensorflows.refused and tensorflows.active == "start"


def test_the_program_comes_from_another_thread_while_it_stops(tensorflows: TensorFlows) -> None:
    profiler = Profiler()
    thread = threading.Thread(target=tensorflows.theirs, args=(profiler,))

    def come() -> None:
        thread.start()
        while profiler.reason is None:
            pass

    assert profiler.take() is None
    tensorflows.around["before stop"] = come
    assert profiler.let_go() == b"seen"
    thread.join()
    assert not tensorflows.refused and tensorflows.stops == 1


@pytest.mark.parametrize("moment", ["before start", "after start"])
def test_a_signals_handler_takes_it_while_it_starts(tensorflows: TensorFlows, moment: str) -> None:
    profiler = Profiler()
    tensorflows.around[moment] = lambda: tensorflows.theirs(profiler)
    assert profiler.take() == profiler.reason
    assert not tensorflows.refused and tensorflows.active == "start"
    assert profiler.let_go() is None


@pytest.mark.parametrize("moment", ["before start", "after start"])
def test_what_a_signals_handler_raises_passes_and_leaves_it_free(tensorflows: TensorFlows, moment: str) -> None:
    profiler = Profiler()

    def alarm() -> None:
        raise TimeoutError

    tensorflows.around[moment] = alarm
    with pytest.raises(TimeoutError):
        profiler.take()
    assert tensorflows.active is None and profiler.take() is None


def test_whoever_has_it_already_keeps_it(tensorflows: TensorFlows) -> None:
    profiler = Profiler()
    tensorflows.active = "unseen"
    assert "own profiler" in str(profiler.take())
    tensorflows.active = None
    assert "own profiler" in str(profiler.take()) and tensorflows.active is None


@pytest.mark.parametrize(
    ("options", "is_traced"),
    [
        (None, False),
        (False, False),
        (True, True),
        (SimpleNamespace(trace_level=1), False),
        (SimpleNamespace(trace_level=2), True),
        (SimpleNamespace(run_options=SimpleNamespace(trace_level=3)), True),
        (SimpleNamespace(run_options=SimpleNamespace(trace_level=0)), False),
        (SimpleNamespace(trace_level="nothing that TensorFlow knows"), False),
    ],
)
def test_a_sessions_call_takes_it_where_its_options_say_so(options: object, is_traced: bool) -> None:
    profiler = Profiler()
    profiler.give_way_if_traced("run", options)
    assert (profiler.reason is not None) == is_traced


def test_a_forked_process_does_not_wait_for_its_parents_session(tensorflows: TensorFlows) -> None:
    profiler = Profiler()
    assert profiler.take() is None
    profiler.renew()
    assert profiler.let_go() is None and tensorflows.stops == 0
