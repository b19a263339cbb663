"""What is kept of values, and that nothing is asked of them."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest

from fittrace.capture.record.kept_values import LONGEST, as_number, describe, halves, text
from fittrace.capture.record.names import Names


def refuse(*arguments: Any) -> Any:
    raise RuntimeError("touched")


class Meta(type):
    __eq__ = __repr__ = refuse
    __hash__ = None  # type: ignore[assignment]
    __name__ = property(refuse)


class Hostile(metaclass=Meta):
    __module__: Any = 3
    __repr__ = __str__ = __eq__ = __float__ = __int__ = __bool__ = __len__ = __iter__ = __getattr__ = refuse
    __hash__ = __array__ = __index__ = refuse


class Sly(float):
    __float__ = __repr__ = __eq__ = refuse
    __hash__ = None  # type: ignore[assignment]


class SlyDict(dict):  # type: ignore[type-arg]
    items = keys = values = __iter__ = __getitem__ = __eq__ = refuse


@pytest.mark.parametrize("value", [0.0, -0.0, math.pi, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308])
def test_floats_are_kept_bit_for_bit(value: float) -> None:
    low, high = halves(value)
    assert struct.pack("<2I", low, high) == struct.pack("<d", value)


NUMBERS: dict[str, tuple[Any, float | None]] = {
    "bool": (True, 1.0),
    "int": (7, 7.0),
    "float32": (np.float32(0.5), 0.5),
    "int64": (np.int64(-3), -3.0),
    "an int beyond float64": (10**400, None),
    "text": ("1", None),
    "complex": (1j, None),
    "complex64": (np.complex64(1), None),
    "array": (np.array(1.0), None),
    "None": (None, None),
    "hostile": (Hostile(), None),
    "a float of the user's": (Sly(1.0), None),
}


@pytest.mark.parametrize("what", NUMBERS)
def test_numbers_are_what_plainly_is_one(what: str) -> None:
    value, number = NUMBERS[what]
    assert as_number(value) == number


TEXTS: dict[str, tuple[Any, str]] = {
    "text": ("plain", "plain"),
    "long text": ("long" * 100, ("long" * 100)[:LONGEST]),
    "None": (None, "None"),
    "list": ([1, "two", (3.0,)], "[1, 'two', (3.0)]"),
    "deep": ({"a": {"b": {"c": {"d": 1}}}}, "{'a': {'b': {'c': <dict of 1>}}}"),
    "long list": (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, ...]"),
    "set": ({1, 2}, "<set of 2>"),
    "bytes": (b"\0" * 99, repr(b"\0" * 16)),
    "huge": (10**400, "<int of 1329 bits>"),
    "array": (np.zeros((2, 3), "int8"), "<numpy.ndarray int8 (2, 3)>"),
    "scalar": (np.float16(1), "<numpy.float16>"),
    "hostile": (Hostile(), "<Hostile>"),
    "hostile in a list": ([Hostile()], "[<Hostile>]"),
    "a float of the user's": (Sly(1.0), "<Sly>"),
    "a dict of the user's": (SlyDict(a=1), "<SlyDict>"),
    "class": (object, "<type>"),
    "hostile class": (Hostile, "<Meta>"),
}


@pytest.mark.parametrize("what", TEXTS)
def test_texts_say_what_a_value_is(what: str) -> None:
    value, kept = TEXTS[what]
    assert text(value) == kept


def test_a_list_that_holds_itself_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert text(loop) == "[[[<list of 1>]]]"


@pytest.fixture
def defined() -> list[dict[str, Any]]:
    return []


def test_logs_are_described_by_their_keys_and_values(defined: list[dict[str, Any]]) -> None:
    names = Names(defined.append)
    operands = describe({"loss": 1.0, "note": "new", 3: Hostile()}, names)
    assert operands == (0, *halves(1.0), 0, 1)
    keys = ["loss", "note", "(a key of type int)"]
    assert defined[-1] == {"define": "keys", "keys": 0, "names": keys, "kinds": "ntt"}
    assert [one["value"] for one in defined[:2]] == ["new", "<Hostile>"]


def test_whole_numbers_are_kept_as_they_are_where_a_float_can_hold_them(defined: list[dict[str, Any]]) -> None:
    operands = describe({"note": "", "size": 32, "below": -1, "large": 1 << 53, "yes": True}, Names(defined.append))
    assert operands == (0, 0, 32, *halves(-1.0), *halves(2.0**53), *halves(1.0))
    assert defined[-1]["kinds"] == "tinnn"


NO_DICTS = {"int": 3, "text": "text", "hostile": Hostile(), "pairs": [("loss", 1.0)]}


@pytest.mark.parametrize("what", NO_DICTS)
def test_logs_that_are_no_dict_are_one_text(defined: list[dict[str, Any]], what: str) -> None:
    describe(NO_DICTS[what], Names(defined.append))
    assert [(one["names"], one["kinds"]) for one in defined if one["define"] == "keys"] == [(["(logs)"], "t")]


def test_logs_of_a_hostile_dict_are_read_past_its_methods(defined: list[dict[str, Any]]) -> None:
    describe(SlyDict(loss=1.0), Names(defined.append))
    assert defined[-1]["names"] == ["loss"]
