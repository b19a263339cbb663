"""The finder notices imports and leaves no mark on what it finds."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader

import pytest

from fittrace.capture.instrument.import_hook import Finder

from .conftest import Tiny


@pytest.fixture
def loaded() -> Iterator[list[types.ModuleType]]:
    """The modules that a finder for `tiny` has told of."""
    found: list[types.ModuleType] = []
    finder = Finder(("tiny",), found.append)
    finder.install()
    yield found
    finder.remove()
    assert finder not in sys.meta_path


def test_a_module_is_told_of_once_it_is_executed(tiny: Tiny, loaded: list[types.ModuleType]) -> None:
    module = tiny.load("answer = 42")
    assert loaded == [module] and module.answer == 42


def test_spec_and_loader_are_as_without_it(tiny: Tiny, loaded: list[types.ModuleType]) -> None:
    module = tiny.load("")
    assert type(module.__loader__) is SourceFileLoader
    assert module.__spec__ is not None and module.__spec__.loader is module.__loader__


def test_a_reload_is_told_of_too(tiny: Tiny, loaded: list[types.ModuleType]) -> None:
    module = tiny.load("")
    importlib.reload(module)
    assert loaded == [module, module]
    assert type(module.__loader__) is SourceFileLoader


def test_other_modules_are_none_of_its_business(tiny: Tiny, loaded: list[types.ModuleType]) -> None:
    (tiny.folder / "other_tiny.py").touch()
    importlib.import_module("other_tiny")
    del sys.modules["other_tiny"]
    assert loaded == []


def test_a_module_that_is_not_there_is_not_found(loaded: list[types.ModuleType]) -> None:
    sys.modules.pop("tiny", None)
    with pytest.raises(ModuleNotFoundError, match="tiny"):
        importlib.import_module("tiny")


def test_an_error_in_the_module_is_its_own(tiny: Tiny, loaded: list[types.ModuleType]) -> None:
    with pytest.raises(ZeroDivisionError):
        tiny.load("1 / 0")
    assert loaded == [] and "tiny" not in sys.modules
