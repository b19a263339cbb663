"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import fittrace

PACKAGE = Path(fittrace.__file__).parent

# Importing these does their work: they are started, not imported.
STARTED = {"fittrace.__main__", "fittrace.launch.bootstrap.sitecustomize"}


def modules() -> list[str]:
    """The dotted name of each module of the package."""
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in names if name not in STARTED]


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_examples_are_found() -> None:
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module("fittrace.schema.table"))
    assert any(test.examples for test in found)
