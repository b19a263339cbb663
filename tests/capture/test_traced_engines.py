"""An engine is rewritten when its home is there, in whatever order its modules come, and not where none comes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from fittrace.capture.instrument.traced_engines import TracedEngines
from fittrace.engines import Engine, Function
from fittrace.schema.capture_settings import DEFAULT

from .conftest import Tiny


@pytest.fixture
def instruments(tiny: Tiny) -> Iterator[Callable[..., TracedEngines]]:
    """Makes the instruments of an engine for each of the `homes`, whose function is in `tiny`."""
    made: list[TracedEngines] = []

    def fault(where: str, error: BaseException) -> None:
        raise error

    def make(*homes: str) -> TracedEngines:
        shared = Function("tiny", "fit", phase="fit")
        engines = [
            Engine("tiny", "tiny", home, ("1.0",), (shared, replace(HOME, module=home)))
            for home in homes or ("tiny_home",)
        ]
        definitions: list[dict[str, Any]] = []
        made.append(TracedEngines(engines, tiny.tape.sites, DEFAULT, definitions.append, fault))
        made[-1].record_with(tiny.tape)
        made[-1].install()
        return made[-1]

    yield make
    for one in made:
        one.undo()
    for home in ("tiny_home", "tiny_other"):
        sys.modules.pop(home, None)


HOME = Function("tiny_home", "fit", phase="fit", stage="train", root=True)
SOURCE = "def fit():\n    return 1\n"


def load_home(tiny: Tiny, home: str = "tiny_home") -> None:
    (tiny.folder / f"{home}.py").write_text(SOURCE)
    importlib.invalidate_caches()
    importlib.import_module(home)


def test_nothing_is_rewritten_before_the_home_is_there(tiny: Tiny, instruments: Callable[[], TracedEngines]) -> None:
    instruments()
    module = tiny.load(SOURCE)
    assert module.fit() == 1 and tiny.tape.sites == []
    load_home(tiny)
    assert module.fit() == 1 and tiny.tape.words[0] == "call 0:fit"


def test_what_comes_after_the_home_is_rewritten_as_it_comes(
    tiny: Tiny, instruments: Callable[[], TracedEngines]
) -> None:
    instruments()
    load_home(tiny)
    assert tiny.load(SOURCE).fit() == 1 and tiny.tape.words[0] == "call 0:fit"


def test_what_is_there_already_is_rewritten(tiny: Tiny, instruments: Callable[[], TracedEngines]) -> None:
    module = tiny.load(SOURCE)
    load_home(tiny)
    instruments()
    assert module.fit() == 1 and tiny.tape.words[0] == "call 0:fit"


@pytest.mark.parametrize("homes", [["tiny_home"], ["tiny_other"], ["tiny_other", "tiny_home"]])
def test_what_two_engines_share_is_rewritten_once_for_the_first_that_is_there(
    tiny: Tiny, instruments: Callable[..., TracedEngines], homes: list[str]
) -> None:
    """As TensorFlow's own function that traces is, of which tf_keras makes use where no Keras 3 is imported."""
    instruments("tiny_home", "tiny_other")
    module = tiny.load(SOURCE)
    for home in homes:
        load_home(tiny, home)
    assert module.fit() == 1
    assert [word.split()[0] for word in tiny.tape.words].count("call") == 1
