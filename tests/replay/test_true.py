"""On every engine, what a replay walks through is what `sys.settrace` sees in an equal run."""

from __future__ import annotations

from collections import Counter

import pytest

from .conftest import Walked

pytestmark = pytest.mark.slow

BY_CHANCE = ("CallbackList._async_dispatch", "CallbackList._flush_futures", "CallbackList._clear_futures")
"""How often these go round depends on how far another thread has come."""


def test_every_fit_is_walked_as_settrace_sees_it(walked: Walked) -> None:
    for scenario, seen in walked.seen.items():
        replay = walked.trace.replay(walked.fit(scenario))
        told = [[step.function, step.line] for step in replay if step.function not in BY_CHANCE]
        assert told == [one for one in seen if one[0] not in BY_CHANCE], scenario
        assert all(step.known for step in replay)
        assert len(told) > 20


def test_it_shows_the_source_that_ran(walked: Walked) -> None:
    replay = walked.trace.replay(walked.fit("validating"))
    steps = [step for step in replay if step.function == "CallbackList.on_epoch_begin"]
    assert any("for callback in self.callbacks" in step.source for step in steps)


def test_batches_are_gone_to(walked: Walked) -> None:
    replay = walked.trace.replay(walked.fit("plain"))
    for epoch, batch in ((1, 2), (0, 3), (0, 0)):
        step = replay.goto(epoch, batch)
        assert (step.epoch, step.batch, step.stage) == (epoch, batch, "train")
        before = replay.back()
        assert before is None or (before.epoch, before.batch) != (epoch, batch)


def test_time_of_a_statement_is_that_of_the_spans_in_it(walked: Walked) -> None:
    replay = walked.trace.replay(walked.fit("plain"))
    spans = walked.trace.spans()
    # Those of Keras 3.6 on other threads are no steps of the fit's own.
    hooks = spans[(spans["fit"] == replay.recording.fit) & spans["callback"].notna() & spans["parent"].notna()]
    hooks = hooks[hooks["thread"] == "MainThread"]
    steps = [step for step in replay if "hook" in step.values]
    assert len(steps) == len(hooks)
    starts = dict(zip(hooks["start_ns"], hooks["duration_ns"], strict=True))
    # The end of a hook is read before its logs are looked at, the beginning of the next statement after.
    assert all(starts[step.start_ns] <= step.duration_ns for step in steps)


def test_arms_of_branches_are_told(walked: Walked) -> None:
    replay = walked.trace.replay(walked.fit("stop"))
    stops = [step for step in replay if "stop_training" in step.source and "taken" in step.values]
    assert [step.values["taken"] for step in stops].count(True) >= 1
    assert stops[-1].values["taken"] is True
    assert stops[0].values["taken"] is False


def test_lines_are_the_steps_summed_up(walked: Walked) -> None:
    for scenario in ("validating", "fit in a fit", "raise in a batch"):
        replay = walked.trace.replay(walked.fit(scenario))
        visits: Counter[tuple[object, ...]] = Counter()
        spent: Counter[tuple[object, ...]] = Counter()
        for step in replay:
            place = step.file, step.function, step.line
            visits[place] += 1
            spent[place] += step.duration_ns or 0
        lines = walked.trace.lines(replay.recording.fit)
        ran = lines[lines["visits"] > 0].groupby(["file", "function", "line"], observed=True)
        assert ran["visits"].sum().to_dict() == dict(visits)
        assert ran["duration_ns"].sum().to_dict() == {place: spent[place] for place in visits}
