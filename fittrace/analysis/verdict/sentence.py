"""The words of a verdict: where the time of a fit went."""

from __future__ import annotations

from collections.abc import Mapping

from ...schema.safe_text import printable
from ..units import amount, duration
from .bound import Bound
from .figures import FitFigures, HookTime
from .main_hook import main_hook

NAMED = 0.1
"""A part below this share of the fit is not named: it is not worth a change of the program."""
MOST_NAMED = 3
"""Parts that are named at most: one sentence holds no more."""


def short_sentence(figures: FitFigures, whole_ns: float) -> str:
    """The sentence on a fit that is too short. `whole_ns` is its time; 0 if nothing was recorded."""
    took = f"{_call(figures)} took {duration(whole_ns)}" if whole_ns else "no time was recorded"
    return f"Too short to tell: {took}."


def unclear_sentence(figures: FitFigures, spent: Mapping[Bound, float], largest: Bound) -> str:
    """The sentence on a fit in which nothing stands out. The parameters are those of `clear_sentence`."""
    share = _percent(spent[largest] / sum(spent.values()))
    part = f"{share} of {_call(figures)}, is {_clause(figures, largest, spent)}"
    return f"Not clear: nothing stands out. The largest part, {part}."


def clear_sentence(figures: FitFigures, spent: Mapping[Bound, float], largest: Bound) -> str:
    """The sentence on a fit that is bound by something: its largest parts, the costliest first.

    - `figures`: the figures of the fit.
    - `spent`: its nanoseconds by what they count to.
    - `largest`: the largest of these.
    """
    whole = sum(spent.values())
    in_order = sorted(spent, key=lambda bound: -spent[bound])
    named = [bound for bound in in_order if spent[bound] >= NAMED * whole][:MOST_NAMED]
    shares = [_percent(spent[bound] / whole) for bound in named]
    first, *others = [f"to {_clause(figures, bound, spent)}" for bound in named]
    clauses = [f"{shares[0]} of {_call(figures)} went {first}", *map(" ".join, zip(shares[1:], others, strict=True))]
    heading = "Too short to tell" if largest is Bound.SHORT else f"Bound by {largest.value}"
    return f"{heading}: {'; '.join(clauses)}."


def _call(figures: FitFigures) -> str:
    return "the fit" if figures.method == "fit" else printable(figures.method)


def _clause(figures: FitFigures, bound: Bound, spent: Mapping[Bound, float]) -> str:
    """A part in words, with what is known of its inside."""
    batches = figures.batches_of(figures.own_stage)
    judged = f", judged by {amount(batches.sampled, 'sampled batch', 'sampled batches')}"
    judged = judged if figures.fetches_inside and batches.sampled else ""
    if bound in (Bound.CALLBACKS, Bound.CHECKPOINTS):
        hook = main_hook(figures, bound, spent[bound])
        what = "hooks of callbacks" if bound is Bound.CALLBACKS else "saving checkpoints"
        return what if hook is None else f"{what}, most of it {_named(hook)}"
    if bound is Bound.RETRACING:
        if batches.retraced == batches.count - 1:
            return "tracing the function anew in every batch, and computing in it"
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
        Bound.SHORT: "starting and the only batch, whose building and computing cannot be told apart",
    }[bound]


def _named(hook: HookTime) -> str:
    where = f" at {printable(hook.line.short)}" if hook.line else ""
    times = f" in {hook.count:,} calls" if hook.count > 1 else ""
    return f"{printable(hook.callback)}.{printable(hook.hook)}{where} ({duration(hook.self_ns)}{times})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
