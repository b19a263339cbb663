"""Sharing a fit's time out among what it may be bound by."""

from __future__ import annotations

from collections import defaultdict

from .bound import Bound
from .figures import FitFigures, HookTime

LEAST_SAMPLES = 2
"""With fewer sampled batches, the others are not judged by them."""

_BOUND_OF_PHASE = {
    "prepare": Bound.START,
    "configure_callbacks": Bound.START,
    "logs": Bound.COMPUTE,
}
"""What phases of a fit's own stage count to. Some are shared out by `time_spent`; all others are the host's.

Logs are made of what the function computes: where it has not finished, making them waits for it.
"""


def saves(hook: HookTime) -> bool:
    """Whether a hook is of a callback that saves checkpoints, by the name of its class."""
    name = hook.callback.lower()
    return "checkpoint" in name or name == "backupandrestore"


def time_spent(figures: FitFigures) -> dict[Bound, float]:
    """The nanoseconds of a fit by what they count to. Together they are the fit's time on its own thread."""
    spent: dict[Bound, float] = defaultdict(float)
    for hook in figures.hooks:
        spent[Bound.CHECKPOINTS if saves(hook) else Bound.CALLBACKS] += hook.self_ns
    own = figures.own_stage
    for (phase, stage), self_ns in figures.phases.items():
        if phase == "function":
            for bound, part in _function(figures, stage, self_ns, stage == own).items():
                spent[bound] += part
        elif stage != own or phase == "validation":
            spent[Bound.VALIDATION] += self_ns
        elif phase == "make_batches":
            first = min(figures.first_made_ns.get(stage, 0.0), self_ns)
            spent[Bound.START] += first
            spent[Bound.GAPS] += self_ns - first
        elif phase == "slice":
            again = min(figures.batches_of(stage).refetched_ns, self_ns)
            spent[Bound.GAPS] += again
            spent[Bound.INPUT] += self_ns - again
        elif phase in ("epoch", "shuffle"):
            spent[Bound.GAPS if figures.epochs > 1 else Bound.HOST] += self_ns
        else:
            spent[_BOUND_OF_PHASE.get(phase, Bound.HOST)] += self_ns
    if figures.method == "fit" and Bound.SHORT in spent:
        # Nothing tells how much of the only batch is starting too.
        spent[Bound.SHORT] += spent.pop(Bound.START, 0.0)
    return dict(spent)


def _function(figures: FitFigures, stage: str, self_ns: float, is_own: bool) -> dict[Bound, float]:
    """The function's time in one stage, shared out."""
    batches = figures.batches_of(stage)
    if batches.count < 2:
        return {Bound.SHORT if is_own else Bound.VALIDATION: self_ns}
    parts = {Bound.START: min(batches.first_ns, self_ns)}
    rest = self_ns - parts[Bound.START]
    if not is_own:
        return {**parts, Bound.VALIDATION: rest}
    for bound, above_ns in ((Bound.RETRACING, batches.retraced_ns), (Bound.GAPS, batches.reopened_ns)):
        parts[bound] = min(above_ns, rest)
        rest -= parts[bound]
    if not figures.fetches_inside:
        return {**parts, Bound.COMPUTE: rest}
    if batches.sampled < LEAST_SAMPLES or batches.sampled_ns <= 0:
        return {**parts, Bound.INPUT_OR_COMPUTE: rest}
    waiting = min(batches.waited_ns / batches.sampled_ns, 1.0) * rest
    return {**parts, Bound.INPUT: waiting, Bound.COMPUTE: rest - waiting}
