"""On every engine, with the program's own functions and all values: lines and numbers are those of `sys.settrace`."""

from __future__ import annotations

import re

import pytest

from .conftest import Walked
from .test_true import BY_CHANCE

pytestmark = pytest.mark.slow


def test_callbacks_and_steps_are_walked_as_settrace_sees_them(walked_whole: Walked) -> None:
    for scenario, seen in walked_whole.seen.items():
        replay = walked_whole.trace.replay(walked_whole.fit(scenario))
        told = [[step.function, step.line] for step in replay if step.function not in BY_CHANCE]
        assert told == [one for one in seen if one[0] not in BY_CHANCE], scenario
    functions = {step[0] for step in walked_whole.seen["callbacks"]}
    assert {"Mine.on_batch_end", "Base.on_epoch_begin", "local.<locals>.Local.on_epoch_end"} <= functions
    if "a step" in walked_whole.seen:
        steps = [one for one in walked_whole.seen["a step"] if one[0] == "stepping.<locals>.Stepping.train_step"]
        assert len(steps) > 2 * 3 * 2


def test_values_are_what_the_variables_held(walked_whole: Walked) -> None:
    for scenario, seen in walked_whole.seen.items():
        replay = walked_whole.trace.replay(walked_whole.fit(scenario))
        compared = 0
        kept = [place for place, one in enumerate(seen) if one[0] not in BY_CHANCE]
        steps = [step for step in replay if step.function not in BY_CHANCE]
        for place, step in zip(kept, steps, strict=True):
            after = walked_whole.after[scenario][place]
            told = {name for name in step.values if name in after and not re.search("time|^t_|delta", name)}
            assert {name: after[name] for name in told} == {name: step.values[name] for name in told}, (scenario, step)
            compared += len(told)
        assert compared > 10, scenario


def test_the_lines_of_a_callback_have_their_time(walked_whole: Walked) -> None:
    lines = walked_whole.trace.lines(walked_whole.fit("callbacks"))
    mine = lines[(lines["function"] == "Mine.on_epoch_end") & (lines["visits"] > 0)]
    assert mine[mine["source"].str.contains("with ")]["visits"].tolist() == [3]
    assert (mine["duration_ns"] > 0).any()
