"""Every line of the threat model names what holds it, and that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
TABLES = re.findall(r"^\| what comes \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
LINES = [line for table in TABLES for line in table.splitlines()]
TEST = re.compile(r"`((?!tests/)(?:\w+/)+test_\w+\.py)(?:::(\w+))?`")


def test_every_line_names_a_test() -> None:
    assert len(TABLES) == 2 and len(LINES) > 25
    assert [line for line in LINES if not TEST.search(line)] == []


@pytest.mark.parametrize(("file", "name"), sorted(set(TEST.findall(PAGE))))
def test_what_holds_a_line_is_there(file: str, name: str) -> None:
    nodes = ast.walk(ast.parse((ROOT / "tests" / file).read_text()))
    functions = [node.name for node in nodes if isinstance(node, ast.FunctionDef)]
    tests = [function for function in functions if function.startswith("test_")]
    assert name in tests if name else tests
