"""The logs at hooks are computed twice, in SQL and in NumPy: both say the same of the numbers in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import fittrace

TRACES = sorted((Path(__file__).parents[2] / "traces").glob("reference-*"))


def numbers(logs: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers in `logs`, NaN as a text, so that it equals itself."""
    return {
        key: "nan" if math.isnan(value) else float(value)
        for key, value in sorted(logs.items())
        if isinstance(value, (int, float)) and value is not None
    }


@pytest.mark.parametrize("folder", TRACES, ids=lambda folder: folder.name)
def test_sql_and_numpy_agree(folder: Path) -> None:
    trace = fittrace.open(folder)
    hooks = trace.hooks()
    from_sql = trace.sql("SELECT fit, seq, logs_before, logs_after FROM hooks ORDER BY process, fit, seq")
    hooks = hooks.sort_values(["process", "fit", "seq"], ignore_index=True)
    assert len(hooks) > 100 and hooks["seq"].tolist() == from_sql["seq"].tolist()
    for column in ("logs_before", "logs_after"):
        assert [numbers(dict(logs)) for logs in from_sql[column]] == [numbers(logs) for logs in hooks[column]]
