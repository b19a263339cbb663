"""docs/verdict.md names every bound, and the thresholds as they are."""

from __future__ import annotations

import re
from pathlib import Path

from fittrace.analysis.verdict import Bound, judge, main_hook, next_steps, sentence, spent

PAGE = Path(__file__).parents[2] / "docs" / "verdict.md"


def test_every_bound_is_there() -> None:
    named = re.findall(r"^\| `([a-z -]+)` \|", PAGE.read_text("utf-8"), re.M)
    assert sorted(named) == sorted(["bound", *(bound.value for bound in Bound)])


def test_the_thresholds_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([\d.,]+) \|", PAGE.read_text("utf-8"), re.M)
    constants = {
        name: value
        for module in (judge, main_hook, next_steps, sentence, spent)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, (int, float))
    }
    assert {name: float(value.replace(",", "")) for name, value in rows} == constants
    assert f"less than {constants['LEAST_NS'] // 1_000_000} ms" in PAGE.read_text("utf-8")
