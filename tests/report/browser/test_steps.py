"""The steps of the page against those of `trace.replay()`, in a real browser, on all engines' reference traces."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fittrace
from fittrace.replay.why import branches
from fittrace.report import document
from report.browser.conftest import PageOpener

ENGINES = ("keras-2.2", "tf-keras-v1", "tf-keras", "keras-3")
MOST_STEPS = 3_000
"""How many steps of a fit are compared."""

READ_STEPS = """([number, indices]) => {
    const steps = window.steps[number];
    const plain = (value) => (Number.isNaN(value) ? "nan" : value);
    const named = (values) => values && Object.fromEntries(values.map(([key, value]) => [key, plain(value)]));
    return indices.map((index) => {
        const { hook, together, ...step } = steps.step(index);
        const source = step.function === null ? null : steps.functions[step.function];
        const logs = hook && hook.logs;
        return {
            ...step,
            function: source && source.name,
            file: source && source.file,
            variables: named(step.variables),
            hook: hook && [hook.callback, hook.position, hook.hook],
            logs: logs && [named(logs.before), named(logs.after), [...logs.changed].sort()],
        };
    });
}"""

READ_MOVES = """([number, indices]) => indices.map((index) => {
    const steps = window.steps[number];
    const moves = [steps.over(index), steps.overBack(index), steps.out(index), steps.outBack(index)];
    return [moves, steps.stack(index), steps.why(index).map(({ step, frame }) => [step, frame])];
})"""

READ_BATCHES = """(number) => {
    const steps = window.steps[number];
    const first = Array.from({ length: steps.batchCount }, (_, ordinal) => steps.firstStepOf(ordinal));
    return [first, first.map((index) => steps.ordinalAt(index)), first.map((index) => steps.ordinalAt(index + 1))];
}"""


@pytest.fixture(params=ENGINES)
def shown(request: Any, open_page: PageOpener) -> Any:
    """A page with all spans in full, its trace and its fits."""
    trace = fittrace.open(f"traces/reference-{request.param}")
    made = document(trace)
    fits = made.runs[0].fits
    details = [all_spans(trace, fit.fit) for fit in fits]
    # The page itself is made of the usual details, and its steps anew of all spans.
    page = open_page(made)
    spans = [{name: values.tolist() for name, values in of_fit["arrays"].items()} for of_fit in details]
    logs = [[[[key, written(value)] for key, value in log] for log in of_fit["logs"]] for of_fit in details]
    page.evaluate(
        """async ([spans, logs]) => {
            const made = await unpack(document.getElementById("data").textContent);
            const read = (value) => (typeof value === "object" ? Number(value.number) : value);
            window.steps = made.runs[0].fits.map((fit, number) => {
                const details = { logs: logs[number].map((log) => log.map(([key, value]) => [key, read(value)])) };
                for (const [name, values] of Object.entries(spans[number])) details[name] = Float64Array.from(values);
                return new Steps(fit.replay, fit.source.functions, details, fit.duration_ns);
            });
        }""",
        [spans, logs],
    )
    return SimpleNamespace(trace=trace, page=page, fits=[fit.fit for fit in fits])


def all_spans(trace: Any, fit: Any) -> Any:
    """All spans of a fit, and the logs of its hooks, in an order that is not that of their numbers."""
    spans = trace.spans()
    spans = spans[spans["fit"] == fit].sort_values("span", ascending=False)
    start = trace.fits().set_index("fit").loc[fit, "start_ns"]
    hooks = trace.hooks()
    logs_of = dict(zip(hooks["span"], zip(hooks["logs_before"], hooks["logs_after"], strict=True), strict=True))
    before: list[int] = []
    after: list[int] = []
    logs: list[Any] = []
    for number, callback in zip(spans["span"], spans["callback"], strict=True):
        is_hook = isinstance(callback, str)
        before.append(len(logs) if is_hook else -1)
        after.append(len(logs) + 1 if is_hook else -1)
        if is_hook:
            logs += [list(values.items()) for values in logs_of[number]]
    arrays = {
        "span": spans["span"].to_numpy(),
        "start": (spans["start_ns"] - start).to_numpy(),
        "duration": spans["duration_ns"].to_numpy(),
        "before": np.array(before),
        "after": np.array(after),
    }
    return {"arrays": arrays, "logs": logs}


def written(value: Any) -> Any:
    """A value as JSON has it."""
    return {"number": repr(value)} if isinstance(value, float) and not math.isfinite(value) else value


def expected(step: Any, start_ns: Any) -> Any:
    """A step of `trace.replay()` as the script of the test reads those of the page."""
    values = {name: plain(value) for name, value in step.values.items()}
    hook: list[Any] = [None] * 3
    logs: list[Any] = [None] * 3
    if "callback" in values:
        hook = [values.pop(name) for name in ("callback", "position", "hook")]
        logs = [values.pop(name) for name in ("logs_before", "logs", "changed")]
        logs[2].sort()
    return {
        "index": step.index,
        "function": step.function,
        "file": step.file,
        "line": step.line,
        "endLine": step.end_line,
        "depth": step.depth,
        "phase": step.phase,
        "stage": step.stage,
        "epoch": step.epoch,
        "batch": step.batch,
        "start": None if step.start_ns is None else step.start_ns - start_ns,
        "duration": step.duration_ns,
        "taken": values.pop("taken", None),
        "variables": values,
        "hook": hook if hook[0] else None,
        "logs": logs if hook[0] else None,
    }


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return "nan" if isinstance(value, float) and math.isnan(value) else value


def moved(replay: Any, index: Any) -> Any:
    """Where the moves of a replay lead from a step, its stack and its branches."""
    moves = []
    for name in ("over", "over_back", "out", "out_back"):
        replay.position = index
        step = getattr(replay, name)()
        moves.append(step and step.index)
    replay.position = index
    led_here = [[branch.step.index, branch.frame.index] for branch in branches(replay)]
    return [moves, [step.index for step in replay.stack()], led_here]


def test_steps_moves_and_batches_are_those_of_the_replay(shown: Any) -> None:
    batches = shown.trace.batches().sort_values("start_ns")
    for number, fit in enumerate(shown.fits):
        replay = shown.trace.replay(fit)
        assert shown.page.evaluate("(number) => window.steps[number].length", number) == len(replay)

        start_ns = int(shown.trace.fits().set_index("fit").loc[fit, "start_ns"])
        indices = sorted(random.Random(fit).sample(range(len(replay)), min(MOST_STEPS, len(replay))))
        read = shown.page.evaluate(READ_STEPS, [number, indices])
        assert read == [expected(replay[index], start_ns) for index in indices]

        few = [*random.Random(fit).sample(indices, 40), 0, len(replay) - 1]
        assert shown.page.evaluate(READ_MOVES, [number, few]) == [moved(replay, index) for index in few]

        first = [replay.timeline.first_step_in(span) for span in batches[batches["fit"] == fit]["span"].tolist()]
        ordinals = list(range(len(first)))
        assert shown.page.evaluate(READ_BATCHES, number) == [first, ordinals, ordinals]
