"""The sentence that says where the time of a fit went, and the parts below it."""

from __future__ import annotations

from typing import Any

from fittrace.report.model.verdict import FitTimes, verdict

MS = 1_000_000


def phase(name: str, self_ms: float, stage: str = "train") -> dict[str, Any]:
    return {"phase": name, "stage": stage, "self": self_ms * MS}


def hook(total_ms: float, count: int = 1) -> dict[str, Any]:
    return {"callback": "Saver", "hook": "on_epoch_end", "total": total_ms * MS, "count": count}


def times(
    *phases: dict[str, Any], hooks: tuple[dict[str, Any], ...] = (), method: str = "fit", **more: Any
) -> FitTimes:
    return FitTimes(method, phases, hooks, **{"building_ns": {}, **more})


def test_the_largest_parts_are_named_the_costliest_first() -> None:
    found = verdict(times(phase("hooks", 150), phase("function", 800), phase("slice", 50), hooks=(hook(140, 3),)))
    assert found.sentence == (
        "80 % of the fit went to the function (computing); "
        "15 % to hooks, most of it Saver.on_epoch_end (140 ms in 3 calls)."
    )


def test_a_hook_is_named_only_if_it_explains_the_time() -> None:
    for total in (10, 900):  # a small part of the hooks' time; more than there is, on another thread
        found = verdict(times(phase("hooks", 150), phase("function", 50), hooks=(hook(total),)))
        assert found.sentence == "75 % of the fit went to hooks; 25 % to the function (computing)."


def test_what_the_first_batches_take_above_the_others_is_apart() -> None:
    found = verdict(
        times(phase("function", 700), phase("function", 300, "test"), building_ns={"train": 600 * MS, "test": 250 * MS})
    )
    assert found.sentence == (
        "85 % of the fit went to building the function in the first batches; 10 % to the function (computing)."
    )
    assert [(part.key, part.ns / MS) for part in found.parts] == [
        ("function", 100),
        ("building", 850),
        ("validation", 50),
    ]


def test_a_first_batch_that_is_faster_than_the_others_takes_nothing_away() -> None:
    (part,) = verdict(times(phase("function", 700), building_ns={"train": -5 * MS})).parts
    assert (part.key, part.ns) == ("function", 700 * MS)


def test_a_functions_inside() -> None:
    inside = verdict(times(phase("function", 1), fetches_inside=True)).sentence
    assert inside == "100 % of the fit went to the function (computing, with the fetch of data inside it)."
    sampled = verdict(times(phase("function", 1), fetches_inside=True, waiting=0.31)).sentence
    assert "(computing; waiting for data 31 % of it, judged by sampled batches)" in sampled


def test_it_is_not_clear_if_nothing_stands_out() -> None:
    names = ("function", "hooks", "slice", "logs")
    found = verdict(times(*(phase(name, 25) for name in names)))
    assert found.sentence.startswith("Not clear: nothing stands out. The largest part, 25 % of the fit, is ")


def test_time_outside_of_all_named_phases_is_said() -> None:
    found = verdict(times(phase("epoch", 60), phase("function", 40)))
    assert found.sentence.startswith(
        "60 % of the fit went to the loops of the engine, outside of all other phases; 40 %"
    )


def test_parts_add_up_and_thin_ones_are_together() -> None:
    found = verdict(times(phase("function", 996), phase("logs", 1), phase("to_dense", 1), phase("batch", 2)))
    assert [(part.key, part.ns / MS) for part in found.parts] == [("function", 996), ("other", 4)]


def test_the_own_stage_of_an_evaluate_is_no_validation() -> None:
    found = verdict(times(phase("function", 5, "test"), method="evaluate"))
    assert [part.key for part in found.parts] == ["function"]
    assert found.sentence == "100 % of evaluate went to the function (computing)."


def test_a_fit_without_any_time() -> None:
    found = verdict(times())
    assert (found.sentence, found.parts) == ("Not clear: no time was recorded.", [])
