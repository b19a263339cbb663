"""`fittrace diff`: statements and branches of the engine that one of two fits alone came by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fittrace.analysis.diff import compare
from fittrace.analysis.diff.comparison_data import Steps, Where
from fittrace.analysis.diff.line_diff import line_differences
from fittrace.tables import TraceTables
from fittrace.views.comparison import line

REFERENCE = Path(__file__).parents[2] / "traces" / "reference-keras-3"


SOURCE = [
    "if validating:",
    "    evaluate()",
    "for callback in callbacks:",
    "    callback.on_epoch_end()",
    "return (logs)",
]


def steps(
    *visits: int, entered: int = 0, passed: int = 0, source: Sequence[str] = SOURCE, complete: bool = True
) -> Steps:
    """The steps of a fit in one function, whose statements ran so many times; the first is a branch."""
    rows = [
        ("/site/engine.py", "fit", line, line, text, count, 0, 0)
        for line, (text, count) in enumerate(zip(source, visits, strict=True), 10)
    ]
    rows[0] = (*rows[0][:6], entered, passed)
    names = ["file", "function", "line", "end_line", "source", "visits", "entered", "passed"]
    return Steps(pd.DataFrame(rows, columns=names), complete)


def lines(a: Steps, b: Steps, same_engine: bool = True, same_size: bool = True) -> list[str]:
    return [line(one) for one in line_differences(0, a, b, same_engine, same_size)]


def test_a_branch_that_one_took() -> None:
    a, b = steps(6, 6, 9, 9, 1, entered=6), steps(6, 0, 9, 9, 1, passed=6)
    assert lines(a, a) == []
    told = "flow branch: fit 0: fit, engine.py:10: `if validating:` is entered 6 of 6 times in A, 0 of 6 in B"
    assert lines(a, b) == [told]
    (found,) = line_differences(0, a, b, True, True)
    assert found.where == Where("fit", "/site/engine.py", 10, 10, 6, 6, 6, 0, "if validating:")
    # Which arms a branch took may not be known; what it led to is.
    unknown = steps(6, 6, 9, 9, 1), steps(6, 0, 9, 9, 1)
    assert lines(*unknown) == ["flow lost: fit 0: fit, engine.py:11: `evaluate()` runs in A only"]
    assert lines(*unknown[::-1]) == ["flow added: fit 0: fit, engine.py:11: `evaluate()` runs in B only"]
    assert lines(steps(6, 6, 9, 9, 1), steps(6, 0, 9, 9, 1, complete=False)) == []


def test_statements_that_one_came_by_are_told_at_once() -> None:
    a, b = steps(1, 1, 1, 1, 1), steps(1, 1, 0, 0, 0)
    assert lines(a, b) == ["flow lost: fit 0: fit, engine.py:12-14: `for callback in callbacks:` runs in A only"]


def test_how_often_a_statement_ran_counts_in_fits_of_one_size() -> None:
    a, b = steps(6, 1, 9, 9, 1), steps(6, 1, 7, 7, 1)
    assert lines(a, b) == [
        "flow count: fit 0: fit, engine.py:12: `for callback in callbacks:` runs 9 times in A, 7 in B (and 1 more "
        "statements)"
    ]
    assert lines(a, b, same_size=False) == lines(a, b, same_engine=False) == []


def test_versions_of_a_function_are_matched_by_their_text() -> None:
    other = ["prepare()", SOURCE[0], "    self.evaluate()", *SOURCE[2:4], "return (\n    logs\n)"]
    a, b = steps(1, 1, 1, 1, 1), steps(1, 1, 1, 0, 0, 0, source=other)
    assert lines(a, b, same_engine=False) == [
        "flow lost: fit 0: fit, engine.py:12-14 (13-15 in B): `for callback in callbacks:` runs in A only"
    ]
    stranger = ["a = 1", "b = 2", "c = 3", "d = 4", SOURCE[-1]]
    assert lines(a, steps(1, 1, 1, 1, 0, source=stranger), same_engine=False) == []


def test_a_function_that_one_ran() -> None:
    a, b = steps(1, 1, 1, 1, 1), steps(1, 1, 1, 1, 1)
    b.visits["function"] = "evaluate"
    told = [
        "flow lost: fit 0: fit (engine.py) runs in A only",
        "flow added: fit 0: evaluate (engine.py) runs in B only",
    ]
    assert lines(a, b) == told
    assert lines(a, b, same_engine=False) == []
    assert lines(steps(1, 1, 1, 1, 1), steps(0, 0, 0, 0, 0), same_engine=False) == told[:1]


def test_lines_of_real_fits() -> None:
    """The validation of tf_keras has no loop over batches' hooks; the evaluate after the fit has no callbacks."""
    tf_keras, keras_3 = (
        TraceTables.open(REFERENCE.parent / f"reference-{engine}") for engine in ("tf-keras", "keras-3")
    )
    assert [one for one in compare(tf_keras, keras_3, ["flow"]).differences if one.where is not None] == []
