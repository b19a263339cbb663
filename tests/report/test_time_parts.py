"""The parts of a fit's time, as the page draws them."""

from __future__ import annotations

from typing import Any

from fittrace.analysis.verdict.figures import BatchTimes, FitFigures
from fittrace.report.model.time_parts import time_parts

MS = 1_000_000


def phase(name: str, self_ms: float, stage: str = "train") -> dict[str, Any]:
    return {"phase": name, "stage": stage, "self": self_ms * MS}


def parts(*phases: dict[str, Any], method: str = "fit", **first_ms: float) -> list[tuple[str, float]]:
    """Key and milliseconds of each part. `first_ms` is, by stage, what the first batch takes above the others."""
    batches = {stage: BatchTimes(2, first_ns=ms * MS) for stage, ms in first_ms.items()}
    return [(part.key, part.ns / MS) for part in time_parts(phases, FitFigures(method, batches=batches))]


def test_what_the_first_batches_take_above_the_others_is_apart() -> None:
    found = parts(phase("function", 700), phase("function", 300, "test"), train=600, test=250)
    assert found == [("function", 100), ("building", 850), ("validation", 50)]


def test_parts_add_up_and_thin_ones_are_together() -> None:
    found = parts(phase("function", 996), phase("logs", 1), phase("to_dense", 1), phase("batch", 2))
    assert found == [("function", 996), ("other", 4)]


def test_the_own_stage_of_an_evaluate_is_no_validation() -> None:
    assert parts(phase("function", 5, "test"), method="evaluate") == [("function", 5)]


def test_a_fit_without_any_time() -> None:
    assert parts() == []
