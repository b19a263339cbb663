"""A breakpoint is found where a walk over all steps would stop at it, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fittrace
from fittrace.replay import Breakpoint, Replay, Step, turn_conditions

REFERENCE = Path(__file__).parent.parent.parent / "traces" / "reference-keras-3"


@pytest.fixture(scope="module")
def replay() -> Replay:
    return fittrace.open(REFERENCE).replay()


@pytest.fixture(scope="module")
def steps(replay: Replay) -> list[Step]:
    return list(replay)


def found(replay: Replay, where: Breakpoint, backwards: bool) -> list[int]:
    replay.position = len(replay) - 1 if backwards else 0
    indices = []
    while step := replay.find(where, backwards):
        assert step == replay.current
        indices.append(step.index)
    return indices[::-1] if backwards else indices


def logs_of(step: Step) -> dict[str, Any]:
    return step.values.get("logs") or {}


@pytest.mark.parametrize(
    ("where", "stops"),
    [
        (Breakpoint(file="tensorflow/trainer.py", line=401), lambda s: s.line == 401 and "trainer" in s.file),
        (Breakpoint(hook="on_epoch_end"), lambda s: s.values.get("hook") == "on_epoch_end"),
        (Breakpoint(callback="History"), lambda s: s.values.get("callback") == "History"),
        (
            Breakpoint(callback="WorstBatch", hook="on_train_batch_end", condition="loss < 0.3 and epoch > 2"),
            lambda s: s.values.get("callback") == "WorstBatch" and logs_of(s).get("loss", 1) < 0.3
            and (s.epoch or 0) > 2
            and s.values["hook"] == "on_train_batch_end",
        ),
        (Breakpoint(condition="loss > 2"), lambda s: logs_of(s).get("loss", 0) > 2),
        (Breakpoint(condition="worst_batch > 4"), lambda s: logs_of(s).get("worst_batch", 0) > 4),
        (Breakpoint(condition="val_loss < 0.2 or loss > 2.2"),
         lambda s: logs_of(s).get("val_loss", 1) < 0.2 or logs_of(s).get("loss", 0) > 2.2),
        (Breakpoint(condition="position == 0 and hook == 'on_test_end'"),
         lambda s: s.values.get("position") == 0 and s.values.get("hook") == "on_test_end"),
        (Breakpoint(line=401, condition="epoch == 3 and batch == 7"),
         lambda s: (s.line, s.epoch, s.batch) == (401, 3, 7) and "trainer" in s.file),
        (Breakpoint(line=401, condition="taken"), lambda s: s.line == 401 and s.values.get("taken") is True),
        (Breakpoint(condition="loss == nan"), lambda s: False),
        (Breakpoint(condition="epoch == 3 and batch == 7"), lambda s: (s.epoch, s.batch) == (3, 7)),
        (Breakpoint(condition="epoch != 3 and batch == 0 and stage == 'train' and phase == 'slice'"),
         lambda s: s.epoch not in (None, 3) and (s.batch, s.stage, s.phase) == (0, "train", "slice")),
        (Breakpoint(condition="not epoch < 5 and depth == 1 and function == 'CallbackList.on_epoch_end'"),
         lambda s: s.epoch is not None and s.epoch >= 5 and s.depth == 1 and s.function == "CallbackList.on_epoch_end"),
        (Breakpoint(condition="taken and epoch == 1 and batch == 1"),
         lambda s: s.values.get("taken") is True and (s.epoch, s.batch) == (1, 1)),
        (Breakpoint(hook="on_batch_end", callback="History"),
         lambda s: s.values.get("hook") == "on_train_batch_end" and s.values.get("callback") == "History"),
    ],
    ids=lambda value: str(value) if isinstance(value, Breakpoint) else "",
)  # fmt: skip
def test_it_stops_at_all_of_them_and_at_no_other(
    replay: Replay, steps: list[Step], where: Breakpoint, stops: Callable[[Step], bool]
) -> None:
    expected = [step.index for step in steps if step.known and stops(step)]
    assert found(replay, where, backwards=False) == expected
    assert found(replay, where, backwards=True) == expected


def test_small_windows_find_the_same(replay: Replay, steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_conditions, "_SMALLEST", 7)
    monkeypatch.setattr(turn_conditions, "_LARGEST", 40)
    where = Breakpoint(condition="batch == 3 and stage == 'test' and phase == 'slice'")
    expected = [step.index for step in steps if (step.batch, step.stage, step.phase) == (3, "test", "slice")]
    assert found(replay, where, backwards=False) == expected != []
    assert found(replay, where, backwards=True) == expected


def test_a_function_stops_it_once_a_call(replay: Replay) -> None:
    spans = fittrace.open(REFERENCE).spans().query("fit == 0")
    for hook in ("on_train_batch_end", "on_epoch_end", "on_test_begin"):
        calls = ((spans["name"] == f"CallbackList.{hook}") & spans["callback"].isna()).sum()
        indices = found(replay, Breakpoint(function=hook), backwards=False)
        assert len(indices) == calls > 0
        assert all(replay[index].depth > replay[index - 1].depth for index in indices)
        assert found(replay, Breakpoint(function=hook), backwards=True) == indices


def test_a_phase_stops_it_where_it_begins(replay: Replay, steps: list[Step]) -> None:
    indices = found(replay, Breakpoint(phase="validation"), backwards=False)
    begins = [s.index for s in steps[1:] if s.phase == "validation" and steps[s.index - 1].phase != "validation"]
    assert indices == begins
    assert indices


def test_nothing_found_moves_nothing(replay: Replay) -> None:
    replay.position = 100
    assert replay.find(Breakpoint(condition="loss > 1000")) is None
    assert replay.find(Breakpoint(line=1), backwards=True) is None
    assert replay.position == 100
