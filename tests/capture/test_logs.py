"""Logs are recorded when they have changed, in whatever shape they come."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from fittrace.capture.logs import looking
from fittrace.capture.names import Names

from .test_values import Hostile

HEAD = -1


class Looker:
    """Looks at logs, and tells what was recorded."""

    def __init__(self) -> None:
        self.buffer: list[int] = []
        self.defined: list[dict[str, Any]] = []
        self.look: Callable[[Any, bool], Any] = looking(self.buffer.extend, HEAD, Names(self.defined.append))

    def told(self, logs: Any, is_first: bool = False) -> Any:
        """What is recorded when these logs are met: None where nothing is."""
        del self.buffer[:]
        self.look(logs, is_first)
        if not self.buffer:
            return None
        head, keys, *operands = self.buffer
        assert head == HEAD
        shape = next(one for one in self.defined if one["define"] == "keys" and one["keys"] == keys)
        state: dict[str, Any] = {}
        for name, kind in zip(shape["names"], shape["kinds"]):
            taken, operands = operands[: 1 + (kind == "n")], operands[1 + (kind == "n") :]
            state[name] = struct.unpack("<d", struct.pack("<2I", *taken))[0] if kind == "n" else taken[0]
        assert operands == []
        return state


@pytest.fixture
def looker() -> Looker:
    return Looker()


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


def test_what_tells_of_a_dict_notices_every_change(looker: Looker) -> None:
    logs: dict[str, Any] = dict(MIXED)
    same = looker.look(logs, True)
    assert same(logs)
    for change in CHANGES.values():
        logs.clear()
        logs.update(change)
        assert not same(logs)
    logs.clear()
    assert not same(logs)
    logs.update(MIXED)
    assert same(logs)
    logs["loss"] = Hostile()
    assert not same(logs)


def test_only_another_look_tells_of_what_is_no_number(looker: Looker) -> None:
    assert looker.look({"loss": Hostile()}, True) is None


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
