"""Logs are recorded when they have changed, in whatever shape they come."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from .fake_session import IN_PYTHON, STATE, FakeSession, compiled
from .test_kept_values import Hostile

OWNER = object()


class Looker:
    """Passes logs to a callback list's hooks, and tells what was recorded."""

    def __init__(self, implementation: Any) -> None:
        self.session = FakeSession(implementation)
        self.buffer, _ = self.session.new_thread()
        self.probes = implementation.Probes(self.session.inspector, self.buffer, None)
        self.defined = self.session.definitions

    def look(self, logs: Any, is_first: bool = False) -> list[int]:
        """The operands of what is recorded when these logs are met."""
        if is_first:
            self.probes.hooks(-2, OWNER, 0)
        self.buffer.clear()
        self.probes.hook(-3, OWNER, self, logs)
        recorded: list[int] = self.buffer.take().tolist()
        assert self.session.faults == []
        return recorded[1:-4] if recorded[0] == STATE else []

    def told(self, logs: Any, is_first: bool = False) -> Any:
        """The logs that are recorded when these are met: None where nothing is."""
        operands = self.look(logs, is_first)
        if not operands:
            return None
        keys, *operands = operands
        shape = next(one for one in self.defined if one["define"] == "keys" and one["keys"] == keys)
        state: dict[str, Any] = {}
        for name, kind in zip(shape["names"], shape["kinds"]):
            taken, operands = operands[: 1 + (kind == "n")], operands[1 + (kind == "n") :]
            state[name] = struct.unpack("<d", struct.pack("<2I", *taken))[0] if kind == "n" else taken[0]
        assert operands == []
        return state


@pytest.fixture(params=["compiled", "in Python"])
def looker(request: pytest.FixtureRequest) -> Looker:
    return Looker(compiled() if request.param == "compiled" else IN_PYTHON)


MIXED = {"batch": 3, "loss": 0.5, "acc": -0.25, "size": 32, "lr": 1e-3}


def test_numbers_are_kept_in_the_order_of_their_keys(looker: Looker) -> None:
    for _ in range(3):
        assert looker.told(dict(MIXED), is_first=True) == MIXED
        assert looker.told(dict(MIXED)) is None


CHANGES: dict[str, dict[str, Any]] = {
    "a value": MIXED | {"loss": 0.75},
    "a whole number": MIXED | {"size": 33},
    "below zero": MIXED | {"size": -1},
    "beyond a float's whole numbers": MIXED | {"size": 1 << 60},
    "a float for an int": MIXED | {"size": 16.5},
    "a key more": MIXED | {"val_loss": 0.5},
    "a key less": {"batch": 3, "loss": 0.5},
    "another key": {"batch": 3, "loss": 0.5, "acc": -0.25, "size": 32, "rate": 1e-3},
    "one key": {"loss": 0.5},
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_recorded_and_so_is_its_undoing(looker: Looker, what: str) -> None:
    for _ in range(2):
        assert looker.told(dict(MIXED), is_first=True) == MIXED
        assert looker.told(CHANGES[what]) == CHANGES[what]
        assert looker.told(dict(CHANGES[what])) is None
        assert looker.told(dict(MIXED)) == MIXED


def test_equal_logs_in_another_order_or_type_have_not_changed(looker: Looker) -> None:
    assert looker.told({"a": 1.0, "b": 2.0}, is_first=True)
    assert looker.told({"b": 2.0, "a": 1.0}) is None
    assert looker.told({"a": 1, "b": 2}) is None
    assert looker.told({"a": 1.0, "b": 2.0}) is None


def test_keys_are_compared_as_texts_where_they_are_other_objects(looker: Looker) -> None:
    assert looker.told({"".join(["lo", "ss"]): 1.0}, is_first=True) == {"loss": 1.0}
    assert looker.told({"".join(["lo", "ss"]): 1.0}) is None


def test_every_change_of_one_dict_is_noticed(looker: Looker) -> None:
    logs: dict[str, Any] = dict(MIXED)
    assert looker.told(logs, is_first=True) == MIXED
    for change in CHANGES.values():
        assert looker.told(logs) is None
        logs.clear()
        logs.update(change)
        assert looker.told(logs) == change
        logs.clear()
        logs.update(MIXED)
        assert looker.told(logs) == MIXED
    logs.clear()
    assert looker.told(logs) == {}
    logs["loss"] = Hostile()
    assert looker.look(logs)
    assert not looker.look(logs)


def test_what_a_callback_puts_into_logs_is_noticed_where_it_is_not_plain(looker: Looker) -> None:
    logs: dict[Any, Any] = {"loss": [1.0]}
    assert looker.look(logs, is_first=True)
    logs["loss"].append(2.0)
    assert looker.look(logs)


def test_empty_logs_are_a_change_where_there_was_something(looker: Looker) -> None:
    assert looker.told({}, is_first=True) is None
    assert looker.told(dict(MIXED)) == MIXED
    assert looker.told({}) == {}
    assert looker.told({}) is None


def test_many_keys_and_many_sets_of_them_are_recorded(looker: Looker) -> None:
    wide = {str(number): float(number) for number in range(200)}
    assert looker.told(wide, is_first=True) == wide
    assert looker.told(dict(wide)) is None
    for number in range(200):
        logs = {f"key {number}": 1.0}
        assert looker.told(logs, is_first=True) == logs
        assert looker.told(dict(logs)) is None


def test_an_int_that_no_float_can_hold_is_a_text(looker: Looker) -> None:
    assert looker.told({"loss": 1.0, "n": 3}, is_first=True)
    looker.look({"loss": 1.0, "n": 1 << 2000}, False)
    assert (looker.defined[-1]["names"], looker.defined[-1]["kinds"]) == (["loss", "n"], "nt")
    looker.look({"loss": None, "n": None}, True)
    assert looker.defined[-1]["kinds"] == "tt"
