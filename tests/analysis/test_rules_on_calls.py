"""Rules on how a program calls `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from fittrace.analysis.rules import Finding
from fittrace.analysis.rules.call_rules import calls_in_a_loop
from fittrace.analysis.rules.repeated_calls import repeated_calls

MS = 1_000_000


def calls(count: int, each_ms: float, function_ms: float, batches: int = 1, **more: Any) -> list[Finding]:
    """The findings on so many calls from one line, each of so many milliseconds and batches."""
    row = {"method": "predict", "caller_file": "/home/me/serve.py", "caller_line": 12, "duration_ns": each_ms * MS}
    fits = pd.DataFrame([row | {"fit": number, "batches": batches} | more for number in range(1, count + 1)])
    ran = pd.DataFrame([{"fit": number, "function_ns": function_ms * MS} for number in range(1, count + 1)])
    return list(calls_in_a_loop.find(repeated_calls(fits, ran)))


def test_many_calls_on_little_data_are_found() -> None:
    (found,) = calls(200, each_ms=60, function_ms=5)
    assert found.message == (
        "200 calls of predict from /home/me/serve.py:12, 200 batches in all, take 12 s, 60 ms each; 91.7 % of it is "
        "outside of the function"
    )
    assert found.fit == 1 and "model(x)" in str(found.remedy)
    (fitted,) = calls(200, each_ms=60, function_ms=5, method="fit")
    assert "train_on_batch" in str(fitted.remedy)


@pytest.mark.parametrize(
    "harmless",
    [
        {"count": 19, "each_ms": 600, "function_ms": 5},  # few calls
        {"count": 200, "each_ms": 60, "function_ms": 40},  # the batches take the time
        {"count": 200, "each_ms": 5, "function_ms": 1},  # little time in all
        {"count": 200, "each_ms": 60, "function_ms": 5, "batches": 11},  # much data
        {"count": 200, "each_ms": 60, "function_ms": 5, "caller_line": pd.NA},  # nobody knows from where
    ],
)
def test_other_calls_are_not(harmless: dict[str, Any]) -> None:
    assert calls(**harmless) == []


def test_each_line_is_told_by_itself() -> None:
    rows = [
        {"fit": n, "method": "fit", "caller_file": "a.py", "caller_line": n % 2, "duration_ns": 200 * MS, "batches": 1}
        for n in range(60)
    ]
    found = list(calls_in_a_loop.find(repeated_calls(pd.DataFrame(rows), pd.DataFrame({"fit": [], "function_ns": []}))))
    assert [finding.fit for finding in found] == [0, 1]
