"""The verdict on one fit: what it was bound by, in a sentence, and the next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...schema.safe_text import printable
from ...schema.tables import OWN_STAGE
from ..units import amount, duration
from .bound import Bound
from .figures import BatchTimes, FitFigures, HookTime
from .next_steps import next_step
from .spent import saves, time_spent

STANDS_OUT = 0.3
"""A fit is bound by what has at least this share of it; if nothing has, nothing stands out."""
NAMED = 0.1
"""A part below this share of the fit is not named: it is not worth a change of the program."""
MOST_NAMED = 3
"""Parts that are named at most: one sentence holds no more."""
MAINLY = 0.5
"""A callback's hook is named if it took this share of the hooks' time."""
LEAST_NS = 20_000_000
"""A fit that takes less is too short to tell."""


@dataclass(frozen=True)
class Verdict:
    """What a fit was bound by.

    - `bound`: one of a closed set.
    - `share`: the share of the fit that went to it, from 0 to 1; of the largest part, if the bound is `UNCLEAR`.
    - `sentence`: where the time went, in one sentence.
    - `next_step`: what to do about it, or what would settle it; None if there is nothing to say.
    """

    bound: Bound
    share: float
    sentence: str
    next_step: str | None


def verdict(figures: FitFigures) -> Verdict:
    """The verdict on the fit that has these figures."""
    spent = time_spent(figures)
    whole = sum(spent.values())
    if whole <= 0:
        return Verdict(Bound.SHORT, 0.0, "Too short to tell: no time was recorded.", None)
    in_order = sorted(spent, key=lambda bound: -spent[bound])
    largest = in_order[0]
    share = spent[largest] / whole
    call = "the fit" if figures.method == "fit" else printable(figures.method)
    if whole < LEAST_NS:
        sentence = f"Too short to tell: {call} took {duration(whole)}."
        return Verdict(Bound.SHORT, share, sentence, next_step(Bound.SHORT, figures, None))
    hook = _main_hook(figures, largest, spent[largest])
    if share < STANDS_OUT:
        what = f"{_percent(share)} of {call}, is {_clause(figures, largest, spent)}"
        sentence = f"Not clear: nothing stands out. The largest part, {what}."
        return Verdict(Bound.UNCLEAR, share, sentence, None)
    named = [bound for bound in in_order if spent[bound] >= NAMED * whole][:MOST_NAMED]
    first, *others = [f"to {_clause(figures, bound, spent)}" for bound in named]
    shares = [_percent(spent[bound] / whole) for bound in named]
    clauses = [f"{shares[0]} of {call} went {first}", *map(" ".join, zip(shares[1:], others, strict=True))]
    heading = "Too short to tell" if largest is Bound.SHORT else f"Bound by {largest.value}"
    return Verdict(largest, share, f"{heading}: {'; '.join(clauses)}.", next_step(largest, figures, hook))


def _clause(figures: FitFigures, bound: Bound, spent: Mapping[Bound, float]) -> str:
    """A part in words, with what is known of its inside."""
    batches = figures.batches.get(OWN_STAGE.get(figures.method, "train"), BatchTimes(0))
    judged = f", judged by {amount(batches.sampled, 'sampled batch', 'sampled batches')}"
    judged = judged if figures.fetches_inside and batches.sampled else ""
    if bound in (Bound.CALLBACKS, Bound.CHECKPOINTS):
        hook = _main_hook(figures, bound, spent[bound])
        what = "hooks of callbacks" if bound is Bound.CALLBACKS else "saving checkpoints"
        return what if hook is None else f"{what}, most of it {_named(hook)}"
    if bound is Bound.RETRACING:
        where = ", ".join(
            f"{name} {number:,}"
            for name, number in (("epoch", batches.retraced_epoch), ("batch", batches.retraced_batch))
            if number is not None
        )
        times = amount(batches.retraced, "batch", "batches")
        return f"tracing the function anew in {times}" + (f" (first in {where})" if where else "")
    if bound is Bound.START:
        built = f" ({duration(batches.first_ns)} in the first batch)" if batches.first_ns > 0 else ""
        return f"starting: preparing the call and building the function{built}"
    return {
        Bound.INPUT: f"waiting for data{judged}",
        Bound.COMPUTE: f"computing{judged}",
        Bound.INPUT_OR_COMPUTE: "the function, which fetches the data and computes in one call",
        Bound.VALIDATION: "validation",
        Bound.GAPS: "what begins anew with each epoch",
        Bound.HOST: "the engine's loop around the steps",
        Bound.SHORT: "the only batch, whose building and computing cannot be told apart",
    }[bound]


def _main_hook(figures: FitFigures, bound: Bound, bound_ns: float) -> HookTime | None:
    """The hook that took most of the time in callbacks, or in those that save checkpoints, if one did."""
    if bound not in (Bound.CALLBACKS, Bound.CHECKPOINTS):
        return None
    hooks = [hook for hook in figures.hooks if saves(hook) == (bound is Bound.CHECKPOINTS)]
    hook = max(hooks, key=lambda hook: hook.self_ns)
    return hook if hook.self_ns >= MAINLY * bound_ns else None


def _named(hook: HookTime) -> str:
    times = f" in {hook.count:,} calls" if hook.count > 1 else ""
    return f"{printable(hook.callback)}.{printable(hook.hook)} ({duration(hook.self_ns)}{times})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
