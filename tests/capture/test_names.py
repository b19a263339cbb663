"""Each name has one number, defined once, whatever the threads do."""

from __future__ import annotations

from typing import Any

import pytest

from fittrace.capture.record import names as names_module
from fittrace.capture.record.names import Names, plain_key

from .test_kept_values import Hostile, Meta


@pytest.fixture
def defined() -> list[dict[str, Any]]:
    return []


def test_a_text_is_defined_once(defined: list[dict[str, Any]]) -> None:
    names = Names(defined.append)
    assert [names.text(one) for one in ("a", "b", "a")] == [0, 1, 0]
    assert [one["value"] for one in defined] == ["a", "b"]


def test_keys_are_told_apart_by_their_kinds(defined: list[dict[str, Any]]) -> None:
    names = Names(defined.append)
    assert [names.keys(("a",), kinds) for kinds in ("n", "t", "n")] == [0, 1, 0]


def test_texts_and_keys_have_a_bound(defined: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_module, "MOST", 10)
    names = Names(defined.append)
    texts = {names.text(str(number)) for number in range(1000)}
    keys = {names.keys((str(number), "loss"), "nn") for number in range(1000)}
    assert len(texts) == len(keys) == 11 and len(defined) == 22
    assert "not kept" in defined[10]["value"]
    assert names.text("3") == 3


def test_classes_are_told_apart_by_identity(defined: list[dict[str, Any]]) -> None:
    names = Names(defined.append)
    one, other = (type("Same", (), {}) for _ in range(2))
    assert [names.new_class(kind) for kind in (one, other, Hostile, one)] == [0, 1, 2, 0]
    assert [entry["name"] for entry in defined] == ["Same", "Same", "Hostile"]
    assert names.classes[id(Hostile)] == 2


def test_a_key_is_not_asked_what_it_is() -> None:
    assert plain_key("loss") == "loss"
    assert plain_key(Hostile()) == "(a key of type Hostile)"
    assert plain_key(Meta("Named", (str,), {})("text")) == "(a key of type Named)"


class Meeting(dict):  # type: ignore[type-arg]
    """Another thread numbers a name just as this one is about to."""

    def __init__(self, names: Names) -> None:
        self.names: Names | None = names

    def setdefault(self, key: Any, number: Any = None) -> Any:
        names, self.names = self.names, None
        if names is not None:
            names.text("the other thread's")
        return super().setdefault(key, number)


def test_threads_that_meet_new_names_at_once_get_different_numbers(defined: list[dict[str, Any]]) -> None:
    names = Names(defined.append)
    names.texts = Meeting(names)
    assert names.text("this thread's") != names.text("the other thread's")
