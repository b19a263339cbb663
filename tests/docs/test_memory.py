"""docs/memory.md has the thresholds as they are."""

from __future__ import annotations

import re
from pathlib import Path

from fittrace.analysis import memory_growth
from fittrace.analysis.rules.memory_rules import NEAR

PAGE = (Path(__file__).parents[2] / "docs" / "memory.md").read_text("utf-8")


def test_the_thresholds_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([\d.,]+) \|", PAGE, re.M)
    constants = {
        name: value for name, value in vars(memory_growth).items() if name.isupper() and isinstance(value, (int, float))
    }
    assert {name: float(value.replace(",", "")) for name, value in rows} == constants
    assert f"above {100 * NEAR:.0f} % of `limit_bytes`" in PAGE
