"""Every probe appends one record of integers, and lets nothing out."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from fittrace.capture.names import Names
from fittrace.capture.recorder import Recorder
from fittrace.capture.sampling import Sampler
from fittrace.schema.journal import ABSENT
from fittrace.schema.sampling import Sampling

from .test_values import Hostile

STATE = -1


class FakeSession:
    """What a recorder needs of a session, with the buffer of each thread in order of coming."""

    def __init__(self) -> None:
        self.definitions: list[dict[str, Any]] = []
        self.names = Names(self.definitions.append)
        self.buffers: list[list[int]] = []
        self.faults: list[str] = []
        self.awoken = 0

    def sampler(self, record: Any) -> Sampler:
        return Sampler(self, Sampling(), 0, record)  # type: ignore[arg-type]

    def new_thread(self, buffer: list[int]) -> None:
        self.buffers.append(buffer)

    def fault(self, where: str, error: BaseException) -> None:
        self.faults.append(where)

    def awake(self) -> None:
        self.awoken += 1


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def recorder(session: FakeSession) -> Recorder:
    return Recorder(session, STATE)  # type: ignore[arg-type]


def heads(session: FakeSession) -> list[int]:
    return [number for number in session.buffers[0] if number < 0]


def test_records_are_a_head_and_its_operands(recorder: Recorder, session: FakeSession) -> None:
    recorder.enter(-5)
    recorder.record((-6, recorder.clock(), 3, 4))
    assert recorder.leave(-7, "value") == "value"
    head, time, *rest = session.buffers[0]
    assert head == -5 and time > 0 and rest[0] == -6 and rest[2:4] == [3, 4] and rest[4] == -7
    assert session.awoken == 1


def test_each_thread_has_its_own_buffer(recorder: Recorder, session: FakeSession) -> None:
    recorder.record((-5, 1))
    thread = threading.Thread(target=lambda: recorder.record((-6, 2)))
    thread.start()
    thread.join()
    assert session.buffers == [[-5, 1], [-6, 2]]


def test_logs_are_recorded_when_they_change_alone(recorder: Recorder, session: FakeSession) -> None:
    logs: dict[Any, Any] = {"loss": 1.0}
    recorder.hooks(-2, object(), 3)
    assert session.buffers[0][-1] == 3
    recorder.hook(-3, object(), logs)
    recorder.hook(-3, object(), logs)
    logs["loss"] = 2.0
    recorder.hook(-3, object(), logs)
    recorder.hooked(-4, logs)
    assert heads(session) == [-2, STATE, -3, -3, STATE, -3, -4]


def test_logs_without_content_are_recorded_when_there_was_some(recorder: Recorder, session: FakeSession) -> None:
    recorder.hooks(-2, object(), 0)
    recorder.hook(-3, object(), {})
    recorder.hook(-3, object(), {"loss": 1.0})
    recorder.hook(-3, object(), {})
    recorder.hook(-3, object(), None)
    assert heads(session) == [-2, -3, STATE, -3, STATE, -3, -3]


def test_nan_stays_nan(recorder: Recorder, session: FakeSession) -> None:
    logs = {"loss": float("nan")}
    recorder.hooks(-2, object(), 0)
    recorder.hook(-3, object(), logs)
    recorder.hook(-3, object(), logs)
    assert heads(session) == [-2, STATE, -3, -3]  # the same object: nothing has changed


class Key(str):
    def __hash__(self) -> int:
        raise RuntimeError("touched")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("touched")


class Unarmed(Key):
    __hash__ = str.__hash__


HOSTILE: dict[str, Any] = {
    "value": {"loss": Hostile()},
    "value beside a number": {"loss": 1.0, "other": Hostile()},
    "key": {Unarmed("loss"): 1.0},
    "no dict": Hostile(),
    "a number": 7,
    "keys that are no text": {("a", "tuple"): 1.0, 3: 2.0},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_logs_are_recorded_without_a_fault(recorder: Recorder, session: FakeSession, what: str) -> None:
    logs = HOSTILE[what]
    recorder.hooks(-2, object(), 0)
    recorder.hook(-3, Hostile(), logs)
    recorder.hook(-3, Hostile(), logs)
    recorder.hooked(-4, logs)
    assert session.faults == []
    assert heads(session) == [-2, STATE, -3, -3, -4]


def test_a_hostile_key_is_not_compared_with_the_one_before(recorder: Recorder, session: FakeSession) -> None:
    recorder.hooks(-2, object(), 0)
    recorder.hook(-3, object(), {Unarmed("loss"): 1.0})
    recorder.hook(-3, object(), {Unarmed("loss"): 1.0})
    assert session.faults == []


def test_a_hostile_callback_has_a_class(recorder: Recorder, session: FakeSession) -> None:
    recorder.hook(-3, Hostile(), None)
    assert session.buffers[0][-1] == 0
    assert session.definitions[0]["name"] == "Hostile"


OWN_NUMBERS: dict[str, Any] = {"-1": -1, "None": None, "hostile": Hostile(), "1.0": 1.0}


@pytest.mark.parametrize("what", OWN_NUMBERS)
def test_a_number_that_is_none_is_absent(recorder: Recorder, session: FakeSession, what: str) -> None:
    recorder.hooks(-2, object(), OWN_NUMBERS[what])
    assert session.buffers[0][-1] == ABSENT


def test_an_exception_is_named_as_it_leaves(recorder: Recorder, session: FakeSession) -> None:
    with pytest.raises(ValueError, match="why"):
        try:
            raise ValueError("why")
        except BaseException:
            recorder.unwind(-8)
            raise
    assert session.definitions == [{"define": "text", "text": 0, "value": "ValueError: why"}]


class Sized:
    def __init__(self, **numbers: Any) -> None:
        self.__dict__.update(numbers)


@pytest.mark.parametrize(
    ("steps", "per", "kept"), [(None, 2, [8, ABSENT]), ("per", 1, [8, ABSENT]), ("per", 2, [ABSENT, ABSENT])]
)
def test_sizes_are_known_where_a_turn_is_one_step(
    recorder: Recorder, session: FakeSession, steps: str | None, per: int, kept: list[int]
) -> None:
    recorder.sizes(-9, Sized(size=8, per=per), ("size", "other"), steps)
    assert session.buffers[0] == [-9, *kept]


def test_a_fault_is_told_and_the_record_is_there(recorder: Recorder, session: FakeSession) -> None:
    session.names.keys = None  # type: ignore[assignment,method-assign]
    recorder.hook(-3, object(), {"loss": 1.0})
    assert session.faults == ["reading the logs of a hook"]
    assert heads(session) == [-3]
