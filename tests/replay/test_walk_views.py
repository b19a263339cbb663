"""The walk as text, as JSON lines and as annotated source; what a stranger's trace holds is shown safe."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from fittrace.prompt.replay_session import ReplaySession
from fittrace.prompt.shell import Shell
from fittrace.replay import step_ranges
from fittrace.replay.step import Step
from fittrace.tables import TraceTables
from fittrace.views.annotated_source import print_lines
from fittrace.views.replay_steps import walk_json, walk_lines
from replay.invented import replay_of, steps_of

NO_TRACE = cast(TraceTables, None)
"""Stands where nothing of a trace is asked for."""

HOSTILE = "\x1b]0;gone\x07\x1b[2J\u202e\u2028[red]"


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    return steps_of(epochs=2, batches=2, stop_at=(1, 0))


def test_the_walk_as_text(steps: list[Step]) -> None:
    lines = list(walk_lines(steps))
    assert len([line for line in lines if not line.startswith("#")]) == len(steps)
    assert lines[0] == "# outside of epochs (train)"
    assert lines[1] == "invented_engine.py:5         model.stop_training = False  stop_training=False"
    assert "# epoch 0, batch 1 (train)" in lines
    assert "invented_engine.py:22          epoch_logs.update( …  1 µs" in lines
    assert "invented_engine.py:33            if not rows:  taken=False" in lines
    called = next(line for line in lines if "callback.on_epoch_end" in line)
    assert called.endswith("callback=Callback  position=0  logs={größe: 2, val_loss: 4}")


def test_the_walk_as_json_has_all_of_each_step(steps: list[Step]) -> None:
    told = [json.loads(line) for line in walk_json(steps)]
    for row, step in zip(told, steps, strict=True):
        assert row == {name: getattr(step, name) for name in row}
    assert {"function", "file", "line", "source", "phase", "depth", "start_ns", "duration_ns", "values"} <= set(told[0])


def test_numbers_that_json_has_not_are_null(steps: list[Step]) -> None:
    odd = replace(steps[0], values={"logs_before": {"loss": np.float64("nan"), "n": np.int64(3)}, "x": float("inf")})
    (line,) = walk_json([odd])
    assert json.loads(line)["values"] == {"logs_before": {"loss": None, "n": 3}, "x": None}


def test_an_epoch_and_a_batch_are_cut_out_of_the_walk(steps: list[Step]) -> None:
    replay = replay_of(steps)
    replay.goto(0, 1)
    batch = list(step_ranges.steps_from_here(replay, step_ranges.BATCH))
    assert [step.line for step in batch if step.depth == 1] == [16, 17, 18, 20, 21, 22]
    assert batch[0] is replay.current
    replay.position = batch[3].index
    assert step_ranges.all_steps(replay, step_ranges.BATCH) == batch
    replay.goto(1)
    assert [step.line for step in step_ranges.steps_from_here(replay, step_ranges.EPOCH)][-1] == 29


def hostile(steps: list[Step]) -> list[Step]:
    values = {HOSTILE: HOSTILE, "logs_before": {HOSTILE: HOSTILE}, "callback": HOSTILE, "hook": HOSTILE, "taken": True}
    texts: dict[str, Any] = dict.fromkeys(("function", "file", "source", "phase", "stage"), HOSTILE)
    return [replace(step, values=values, **texts) for step in steps]


def test_hostile_texts_are_shown_safe(steps: list[Step]) -> None:
    bad = hostile(steps)
    said = io.StringIO()
    replay = replay_of(bad, lines=[HOSTILE] * 60)
    shell = Shell(ReplaySession(replay, NO_TRACE, "fit = 0", said))
    for word in ("s", "w", "l", "ll", "p", f"p `{HOSTILE}`", "why", "goto 0 1", "time", "b 3", "c", f"b {HOSTILE}"):
        shell.run_line(word) if word != "b 3" else shell.session.position.add_breakpoint(_line(3))
    printed = said.getvalue() + "\n".join([*walk_lines(bad), *walk_json(bad)])
    table = pd.DataFrame(
        {"file": [HOSTILE], "function": HOSTILE, "line": 3, "end_line": 3, "source": HOSTILE, "visits": 2}
        | {"duration_ns": pd.array([5], "Int64"), "together": 1}
    )
    print_lines(table, said)
    assert "\\x1b]0;gone" in printed
    for text in (printed, said.getvalue()):
        assert not set("\x1b\x07\u202e\u2028") & set(text)


def _line(number: int) -> Any:
    from fittrace.replay.breakpoints import Breakpoint

    return Breakpoint(line=number)


def test_a_place_that_is_unknown_says_so(steps: list[Step]) -> None:
    nothing = replace(steps[8], function=None, file=None, line=None, end_line=None, source="", values={})
    lost = [*steps[:8], nothing, *steps[9:]]
    said = io.StringIO()
    shell = Shell(ReplaySession(replay_of(lost), NO_TRACE, "fit = 0", said))
    shell.session.replay.position = 8
    for word in ("l", "ll", "w", "p", "time", "why", "rs", "s"):
        shell.run_line(word)
    assert "> unknown: what ran here could not be told from the record" in said.getvalue()
    assert said.getvalue().count("*** what ran here is unknown, and so is its source") == 2
    assert any(line.startswith("(unknown)") for line in walk_lines(lost))
    assert [json.loads(line)["function"] for line in walk_json(lost)][8] is None


@pytest.fixture
def lines(steps: list[Step]) -> pd.DataFrame:
    """What `Trace.lines` tells of the walk."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for step in steps:
        key = (step.file, step.function, step.line)
        row = rows.setdefault(key, {"visits": 0, "duration_ns": None, "end_line": step.end_line, "source": step.source})
        row["visits"] += 1
        if step.duration_ns is not None:
            row["duration_ns"] = (row["duration_ns"] or 0) + step.duration_ns
    columns = ["file", "function", "line"]
    frame = pd.DataFrame([dict(zip(columns, key, strict=True)) | row for key, row in rows.items()])
    lines: pd.DataFrame = frame.assign(duration_ns=frame["duration_ns"].astype("Int64"), together=1)
    return lines


def test_source_is_annotated_function_by_function(lines: pd.DataFrame) -> None:
    said = io.StringIO()
    print_lines(lines, said)
    text = said.getvalue().splitlines()
    titles = [line.split("  ")[0] for line in text if "programs/invented_engine.py" in line]
    assert titles[:2] == ["fit", "fit_loop"]
    assert set(titles) == set(lines["function"])
    assert text[0] == "fit  replay/programs/invented_engine.py, 3 statements, 52 µs"
    start = next(n for n, line in enumerate(text) if line.startswith("fit_loop"))
    assert text[start + 1].split() == ["line", "visits", "time", "per", "visit", "share", "source"]
    of_line = {line.split()[0]: line for line in text[start + 2 :] if line and line.split()[0].isdecimal()}
    assert of_line["17"].split()[:4] == ["17", "3", "12", "µs"]
    assert of_line["18"].split()[:3] == ["18", "3", "^"]
    # A statement over several lines is there with all of them, what was not run as a gap.
    assert "größe=len(data),  # 数据的大小" in of_line["23"]
    assert text[-1].startswith("^: in the time of the line above")


def test_no_lines_are_told(lines: pd.DataFrame) -> None:
    said = io.StringIO()
    print_lines(lines[:0], said)
    assert said.getvalue() == "No control flow was recorded: there is nothing to show.\n"
