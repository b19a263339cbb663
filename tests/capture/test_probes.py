"""The probes that are compiled record, to the last number, what those in Python do, whatever they are called with."""

from __future__ import annotations

import gc
import itertools
import random
import sys
import threading
import time
import weakref
from array import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fittrace.capture.record.kept_values import as_number
from fittrace.capture.record.observer import BATCH_FILTER, NEVER, Dispatch, Observing
from fittrace.schema.fibonacci_hashing import fibonacci_hash
from fittrace.schema.journal_format import ABSENT

from .fake_session import IN_PYTHON, STATE, FakeSession, compiled
from .test_kept_values import Hostile


class Model:
    """What has a `stop_training`, and is its own callback list."""

    def __init__(self) -> None:
        self.model = self


class Watching(Observing):
    """Writes down what it is told."""

    def __init__(self, *interest: int) -> None:
        self.interest = bytearray(interest)
        self.batch_filter = bytearray(BATCH_FILTER.size)
        self.told: list[tuple[tuple[int, ...], int]] = []

    def observe(self, record: Any, entered: int) -> None:
        self.told.append((tuple(record), entered))


class Thread:
    """The probes of one thread, with a clock that counts."""

    def __init__(self, implementation: Any, observing: Observing | None = None) -> None:
        self.session = FakeSession(implementation)
        self.session.inspector.clock = itertools.count(1).__next__
        self.buffer, _ = self.session.new_thread()
        self.probes = implementation.Probes(self.session.inspector, self.buffer, observing)

    def recorded(self) -> list[int]:
        taken: list[int] = self.buffer.take().tolist()
        return taken


@pytest.fixture(params=["compiled", "in Python"])
def implementation(request: pytest.FixtureRequest) -> Any:
    return compiled() if request.param == "compiled" else IN_PYTHON


KEYS = ["loss", "acc", "batch", "size"]
# Drawn by their places, since some of them mind being looked at.
VALUES: list[Any] = [
    *(0.0, -0.0, float("nan"), float("inf"), 1.5, 7, -7, True, 2**53, 2**60, 2**70, -(2**70), 1 << 2000),
    *(np.float32(0.1), np.float64(2.5), np.int64(9), np.bool_(True), np.float16(1), np.zeros(2)),
    *(None, "text", [1.0], (), Hostile(), Hostile),
]
NO_LOGS: list[Any] = [None, Hostile(), 3, "logs", (), ({"loss": 1.0},), []]
CHANGES = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(KEYS), st.integers(0, len(VALUES) - 1)),
    st.tuples(st.just("drop"), st.sampled_from(KEYS)),
    st.tuples(st.just("copy"), st.just(None)),
    st.tuples(st.just("turn round"), st.just(None)),
    st.tuples(st.just("replace"), st.integers(0, len(NO_LOGS) - 1)),
    st.tuples(st.just("stop"), st.integers(0, len(VALUES) - 1)),
    st.tuples(st.just("list"), st.integers(0, 2)),
    st.tuples(
        st.just("call"),
        st.sampled_from(["hooks", "named", "hook", "hooked", "hooked_last", "forget", "mark", "record"]),
    ),
)


@given(st.lists(CHANGES, max_size=60))
@settings(max_examples=400, deadline=None)
def test_both_record_the_same(steps: list[tuple[Any, ...]]) -> None:
    # NumPy's types become plain when they are met, once in a process, and whoever meets them first looks twice.
    for value in VALUES:
        as_number(value)
    threads = [Thread(IN_PYTHON), Thread(compiled())]
    owners = [Model(), Model(), Hostile()]
    callbacks = [Model(), Hostile(), KEYS]
    logs: Any = {"loss": 1.0}
    owner: Any = owners[0]
    for number, (what, *details) in enumerate(steps):
        if what == "set" and type(logs) is dict:
            logs[details[0]] = VALUES[details[1]]
        elif what == "drop" and type(logs) is dict:
            logs.pop(details[0], None)
        elif what == "copy":
            logs = dict(logs) if type(logs) is dict else {}
        elif what == "turn round" and type(logs) is dict:
            logs = dict(reversed(logs.items()))
        elif what == "replace":
            logs = NO_LOGS[details[0]]
        elif what == "stop":
            vars(owners[0])["stop_training"] = VALUES[details[0]]
        elif what == "list":
            owner = owners[details[0]]
        elif what == "call":
            arguments = {
                "hooks": (-2, owner, number),
                "named": (-7, [KEYS[number % 4], 5, "text \ud800"][number % 3]),
                "hook": (-3, owner, callbacks[number % 3], logs),
                "hooked": (-4, owner, logs),
                "hooked_last": (-4, owner, logs),
                "forget": (),
                "mark": (-5, number, True),
                "record": ((-6, 2**70, number),),
            }[details[0]]
            for thread in threads:
                getattr(thread.probes, details[0])(*arguments)
    in_python, in_c = threads
    assert in_c.recorded() == in_python.recorded()
    assert in_c.session.definitions == in_python.session.definitions
    assert in_c.session.faults == in_python.session.faults == []


def test_logs_that_are_equal_in_another_order_are_recorded_once(implementation: Any) -> None:
    thread = Thread(implementation)
    for _ in range(3):
        for logs in ({"loss": 1.0, "acc": 2.0}, {"acc": 2.0, "loss": 1.0}):
            thread.probes.hook(-3, Model(), None, logs)
    assert thread.recorded().count(STATE) == 1
    thread.probes.hook(-3, Model(), None, {"acc": 2.0, "loss": 3.0})
    thread.probes.hook(-3, Model(), None, {"loss": 1.0, "acc": 2.0})
    assert thread.recorded().count(STATE) == 2


def test_who_sees_the_records_is_told_of_those_that_interest_it(implementation: Any) -> None:
    watching = Watching(Dispatch.OBSERVED, Dispatch.IGNORED, Dispatch.ENTERS, Dispatch.LEAVES)
    thread = Thread(implementation, watching)
    record = thread.probes.record
    for head in (-1, -2, -3, -3, -4, -2, -1, -3, -4, -4, -9):
        record((head, 5))
    # Into two frames and out of one; then told, into one and out of it, and out of the one that is known by then.
    assert watching.told == [((-1, 5), 0), ((-1, 5), 1), ((-4, 5), 0), ((-9, 5), 0)]
    assert thread.recorded()[::2] == [-1, -2, -3, -3, -4, -2, -1, -3, -4, -4, -9]


def test_an_observer_without_a_batch_filter_is_an_error() -> None:
    session = FakeSession(compiled())
    observing = SimpleNamespace(observe=print, interest=bytearray())
    with pytest.raises(AttributeError, match="batch_filter"):
        session.implementation.Probes(session.inspector, session.new_thread()[0], observing)


@pytest.mark.parametrize("shift", [0, 1_760_000_000_000_000_000, (1 << 64) - 5])
def test_of_a_site_that_is_filtered_those_records_are_observed_that_pass(implementation: Any, shift: int) -> None:
    watching = Watching(Dispatch.FILTERED)
    thread = Thread(implementation, watching)
    moments = range(0, 600_000 * 1000, 600_000)
    limits = (0, 1 << 62, (1 << 64) - 1)
    for limit, due in [(limit, due) for limit in limits for due in (NEVER, moments[500])]:
        BATCH_FILTER.pack_into(watching.batch_filter, 0, shift, limit, due)
        watching.told.clear()
        for moment in moments:
            thread.probes.record((-1, moment))
        told = [record[1] for record, _ in watching.told]
        assert told == [moment for moment in moments if moment >= due or fibonacci_hash(moment + shift) < limit]
    assert len(thread.recorded()) == 6 * 2 * len(moments)


def test_the_clock_that_is_read_is_pythons() -> None:
    session = FakeSession(compiled())
    buffer, _ = session.new_thread()
    probes = session.implementation.Probes(session.inspector, buffer, None)
    for _ in range(1000):
        before = time.perf_counter_ns()
        probes.mark(-2)
        assert before <= buffer.take()[1] <= time.perf_counter_ns()


def test_what_interests_may_change_meanwhile(implementation: Any) -> None:
    watching = Watching()
    thread = Thread(implementation, watching)
    thread.probes.mark(-2, 7)
    watching.interest += bytes([Dispatch.OBSERVED, Dispatch.IGNORED])
    thread.probes.mark(-2, 8)
    watching.interest[:] = bytes(2)
    thread.probes.mark(-2, 9)
    assert watching.told == [((-2, 1, 7), 0), ((-2, 3, 9), 0)]


def test_logs_are_told_too(implementation: Any) -> None:
    watching = Watching()
    thread = Thread(implementation, watching)
    thread.probes.hook(-3, Model(), Model(), {"loss": 0.5, "size": 4})
    (state, _), (hook, _) = watching.told
    assert list(state) + list(hook) == thread.recorded()


def test_a_buffer_is_taken_whole_or_left_out_in_part(implementation: Any) -> None:
    buffer = implementation.Buffer()
    assert buffer.take() == array("q") and len(buffer) == 0
    buffer.extend([-1, 2, ABSENT])
    buffer.append(-3)
    buffer.discard(2)
    assert len(buffer) == 2 and buffer.take() == array("q", [ABSENT, -3])
    buffer.extend(range(5))
    buffer.discard(9)
    assert len(buffer) == 0
    buffer.append(4)
    buffer.clear()
    assert len(buffer) == 0 and buffer.take() == array("q")


def test_millions_of_numbers_are_kept_and_their_room_is_given_back(implementation: Any) -> None:
    buffer = implementation.Buffer()
    numbers = list(range(1000))
    for _ in range(3000):
        buffer.extend(numbers)
    assert len(buffer) == 3_000_000
    taken = buffer.take()
    assert len(taken) == 3_000_000 and taken[-1] == 999 and sum(taken[:1000]) == sum(numbers)
    buffer.append(1)
    assert buffer.take().tolist() == [1]


def test_what_is_no_number_is_absent(implementation: Any) -> None:
    thread = Thread(implementation)
    thread.probes.record((-1, Hostile(), 1 << 63, -(1 << 63), "7", None))
    thread.probes.mark(-2, 1.5)
    assert thread.recorded() == [-1, ABSENT, ABSENT, -(1 << 63), ABSENT, ABSENT, -2, 1, ABSENT]


def test_every_record_is_one_piece_to_who_takes_them(implementation: Any) -> None:
    thread = Thread(implementation)
    thread.session.inspector.clock = lambda: 7
    probes = implementation.Probes(thread.session.inspector, thread.buffer, None)
    done = threading.Event()
    taken: list[array[int]] = []

    def collect() -> None:
        while not done.is_set():
            taken.append(thread.buffer.take())

    collector = threading.Thread(target=collect)
    collector.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(30_000):
            probes.mark(-2, number)
    finally:
        sys.setswitchinterval(interval)
        done.set()
        collector.join()
    taken.append(thread.buffer.take())
    assert all(len(one) % 3 == 0 for one in taken)
    assert [number for one in taken for number in one[2::3]] == list(range(30_000))


class Interrupted(BaseException):
    """What no `except Exception` keeps, as the program's `KeyboardInterrupt`."""


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("question", ["plain", "describe", "attributes", "stop"])
def test_a_fault_in_looking_is_told_and_goes_no_further(implementation: Any, question: str) -> None:
    thread = Thread(implementation)
    setattr(thread.session.inspector, question, raising(ValueError(question)))
    logs = {"loss": "text" if question == "describe" else 1.0}
    thread.probes.hooks(-2, Model(), 0)
    thread.probes.hook(-3, Model(), Model(), logs)
    thread.probes.hooked(-4, Model(), logs)
    assert thread.session.faults
    assert [number for number in thread.recorded() if number < -1] == [-2, -3, -4]


@pytest.mark.parametrize("question", ["plain", "attributes", "stop", "meet"])
def test_what_interrupts_the_program_goes_on(implementation: Any, question: str) -> None:
    thread = Thread(implementation)
    setattr(thread.session.inspector, question, raising(Interrupted()))
    with pytest.raises(Interrupted):
        thread.probes.hook(-3, Model(), Model(), {"loss": 1.0})
    assert thread.session.faults == []


@pytest.mark.filterwarnings("error")
def test_numpy_is_given_no_cause_to_warn(implementation: Any) -> None:
    thread = Thread(implementation)
    for value in (np.float16(1), 2**70, np.float16(2), np.float32(1e30), np.int64(-1), np.uint64(2**63)):
        thread.probes.hook(-3, None, None, {"loss": value, "acc": 1.0})
        thread.probes.hook(-3, None, None, {"acc": 1, "loss": value})
    assert thread.session.faults == []


def test_nothing_leaks(implementation: Any) -> None:
    thread = Thread(implementation)
    objects: list[Any] = [1.5, np.float64(3), 10**6, None, "text"]
    before: list[int] = []
    for turn in range(3):
        shuffled = random.Random(3)
        for number in range(300):
            model = Model()
            logs = {key: shuffled.choice(objects) for key in KEYS[: number % 5]}
            thread.probes.hooks(-2, model, number)
            thread.probes.hook(-3, model, model, logs)
            logs["loss"] = float(number)
            thread.probes.hook(-3, model, None, logs)
            thread.probes.hooked_last(-4, model, logs)
            thread.buffer.take()
        del model, logs
        gc.collect()
        counts = [sys.getrefcount(one) for one in [*objects[:3], Model, float, int, np.float64]]
        counts.append(sys.getrefcount(None) // 1000)
        assert turn < 2 or counts == before
        before = counts


def test_probes_and_what_they_know_go_together(implementation: Any) -> None:
    model = Model()
    gone = weakref.ref(model)
    thread = Thread(implementation)
    thread.probes.hook(-3, model, model, {"loss": 1.0})
    # A ring, as a session makes one.
    thread.session.inspector.probes = thread.probes  # type: ignore[attr-defined]
    del thread, model
    gc.collect()
    assert gone() is None
