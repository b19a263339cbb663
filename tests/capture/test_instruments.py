"""An engine is rewritten when its home is there, in whatever order its modules come, and not where none comes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fittrace.capture.instruments import Instruments
from fittrace.engines import Engine, Function
from fittrace.schema.settings import DEFAULT

from .conftest import Tiny


@pytest.fixture
def instruments(tiny: Tiny) -> Iterator[Callable[[], Instruments]]:
    """Makes the instruments of an engine whose function is in `tiny` and whose home is `tiny_home`."""
    made: list[Instruments] = []

    def fault(where: str, error: BaseException) -> None:
        raise error

    def make() -> Instruments:
        engine = Engine("tiny", "tiny", "tiny_home", ("1.0",), (Function("tiny", "fit", phase="fit"), HOME))
        definitions: list[dict[str, Any]] = []
        made.append(Instruments((engine,), tiny.tape, tiny.tape.sites, DEFAULT, definitions.append, fault))
        made[-1].install()
        return made[-1]

    yield make
    for one in made:
        one.undo()
    sys.modules.pop("tiny_home", None)


HOME = Function("tiny_home", "fit", phase="fit", stage="train", root=True)
SOURCE = "def fit():\n    return 1\n"


def load_home(tiny: Tiny) -> None:
    (tiny.folder / "tiny_home.py").write_text(SOURCE)
    importlib.invalidate_caches()
    importlib.import_module("tiny_home")


def test_nothing_is_rewritten_before_the_home_is_there(tiny: Tiny, instruments: Callable[[], Instruments]) -> None:
    instruments()
    module = tiny.load(SOURCE)
    assert module.fit() == 1 and tiny.tape.sites == []
    load_home(tiny)
    assert module.fit() == 1 and tiny.tape.words[0] == "call 0:fit"


def test_what_comes_after_the_home_is_rewritten_as_it_comes(tiny: Tiny, instruments: Callable[[], Instruments]) -> None:
    instruments()
    load_home(tiny)
    assert tiny.load(SOURCE).fit() == 1 and tiny.tape.words[0] == "call 0:fit"


def test_what_is_there_already_is_rewritten(tiny: Tiny, instruments: Callable[[], Instruments]) -> None:
    module = tiny.load(SOURCE)
    load_home(tiny)
    instruments()
    assert module.fit() == 1 and tiny.tape.words[0] == "call 0:fit"
