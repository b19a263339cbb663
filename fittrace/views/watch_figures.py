"""The figures of a run that goes on: how far it is, how fast, how long it will take, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..analysis.rules.slow_hook_rule import LEAST_NS, SHARE
from ..analysis.units import duration, epoch_and_batch, share
from ..schema.safe_text import printable
from ..schema.tables import BATCH_PHASES
from ..store.live.fit_totals import OTHER, FitTotals
from ..store.live.run_follower import ProcessFollower

RATE_NS = 10_000_000_000
"""The rate is that of the batches of this last time."""
_TOLD = frozenset({"fault", "dropped", "journal"})
"""Kinds of notes that are findings: what fittrace could not record."""
_FIRST_BATCHES = 20
"""Batches after which the share of a hook says something."""


@dataclass(frozen=True)
class WatchFigures:
    """What `fittrace watch` shows.

    - `run`: the run's name.
    - `elapsed_ns`: time since the run began.
    - `processes`: number of traced processes so far.
    - `engine`: the engines and their versions.
    - `fit`: the fit that goes on, or the last one; None before the first.
    - `memory_bytes`: the memory of its process; None where that is unknown.
    - `findings`: what is wrong, a sentence each.
    - `catching_up`: whether records are left that could not be read yet.
    """

    run: str
    elapsed_ns: int
    processes: int = 0
    engine: str = ""
    fit: FitTotals | None = None
    memory_bytes: int | None = None
    findings: tuple[str, ...] = ()
    catching_up: bool = False


def gather(run: str, elapsed_ns: int, processes: Sequence[ProcessFollower], catching_up: bool) -> WatchFigures:
    """The figures of a run with these processes. Of several, the first one with a fit that goes on is shown."""
    shown = shown_fit = None
    for process in processes:
        fit = latest_fit(process.totals.fits)
        if fit is not None and (shown_fit is None or (shown_fit.status is not None and fit.status is None)):
            shown, shown_fit = process, fit
    if shown is None or shown_fit is None:
        return WatchFigures(run, elapsed_ns, len(processes), catching_up=catching_up)
    engine = ", ".join(printable(f"{name} {version}") for name, version in shown.engines.items())
    found = (*findings(shown_fit), *(message for kind, message in shown.notes if kind in _TOLD))
    return WatchFigures(
        run,
        elapsed_ns,
        len(processes),
        engine,
        shown_fit,
        shown.memory_bytes,
        tuple(map(printable, found)),
        catching_up,
    )


def latest_fit(fits: dict[int, FitTotals]) -> FitTotals | None:
    """The fit that goes on: the one with the latest moment among those that have not ended, else among all."""
    going_on = [fit for fit in fits.values() if fit.status is None]
    return max(going_on or fits.values(), key=lambda fit: (fit.latest_ns, fit.number), default=None)


def rate(fit: FitTotals) -> float | None:
    """Batches per second in the last `RATE_NS`, or since the first batch; None before there are enough."""
    if len(fit.recent) < 2:
        return None
    last_ns, last_count = fit.recent[-1]
    first_ns, first_count = next((point for point in fit.recent if point[0] >= last_ns - RATE_NS), fit.recent[-1])
    if first_ns == last_ns:
        first_ns, first_count = fit.recent[-2]
    return (
        1e9 * (last_count - first_count) * steps_per_batch(fit) / (last_ns - first_ns) if last_ns > first_ns else None
    )


def steps_per_batch(fit: FitTotals) -> int:
    """How many batches of Keras one recorded batch stands for: `steps_per_execution`."""
    return max(int(fit.arguments.get("compile.steps_per_execution", 1)), 1)


def batches_per_epoch(fit: FitTotals) -> int | None:
    """Batches in an epoch; None before the first epoch has ended, unless `steps_per_epoch` says it."""
    return int(fit.arguments.get("steps_per_epoch", 0)) or fit.steps * steps_per_batch(fit) or None


def batches_done(fit: FitTotals) -> int:
    """Batches that have ended in the current epoch."""
    done = fit.batch + steps_per_batch(fit)
    whole = batches_per_epoch(fit)
    return max(0, done if whole is None else min(done, whole))


def progress(fit: FitTotals) -> float | None:
    """The part of the fit that is done, from 0 to 1; None where its length is unknown."""
    whole, epochs = batches_per_epoch(fit), fit.arguments.get("epochs")
    if not whole or not epochs or fit.stage != "train":
        return None
    first = fit.arguments.get("initial_epoch", 0)
    if epochs <= first:
        return None
    return min(max((fit.epoch - first + batches_done(fit) / whole) / (epochs - first), 0.0), 1.0)


def remaining_ns(fit: FitTotals) -> float | None:
    """The time that the rest of the fit will take; None where that is unknown.

    Whole epochs say it, with their validation. In the first epoch, the rate of batches does.
    """
    done, epochs = progress(fit), fit.arguments.get("epochs")
    if done is None or epochs is None or fit.status is not None:
        return None
    left = (1 - done) * (epochs - fit.arguments.get("initial_epoch", 0))
    if fit.epoch_ns:
        return left * sum(fit.epoch_ns) / len(fit.epoch_ns)
    per_second, whole = rate(fit), batches_per_epoch(fit)
    return 1e9 * left * whole / per_second if per_second and whole else None


def phase_shares(fit: FitTotals) -> list[tuple[str, float, float]]:
    """Each phase of the batches of the fit's own stage, its time in a batch, and its share of it."""
    phases = {phase: fit.phase_ns.get((fit.stage, phase), 0) for phase in (*BATCH_PHASES, OTHER)}
    whole, batches = sum(phases.values()), fit.batches.get(fit.stage, 0)
    if whole <= 0 or not batches:
        return []
    batch_ns = fit.batch_ns[fit.stage] / batches
    return [(phase, batch_ns * ns / whole, ns / whole) for phase, ns in phases.items() if ns > 0]


def slowest_hooks(fit: FitTotals, most: int) -> list[tuple[str, int, int, int]]:
    """The hooks that took the most time in all: name, time, calls, and time of a call."""
    slowest = sorted(fit.hook_ns, key=lambda hook: -fit.hook_ns[hook])[:most]
    rows = ((hook, fit.hook_ns[hook], fit.hook_calls[hook]) for hook in slowest)
    return [(printable(".".join(hook)), ns, calls, ns // calls) for hook, ns, calls in rows]


def findings(fit: FitTotals) -> Iterator[str]:
    """What is wrong with a fit, as far as its sums say it: `fittrace check` looks at all."""
    if fit.status == "error":
        yield f"fit {fit.number} failed: {fit.error or 'unknown'}"
    for bad in fit.bad_values.values():
        where = ", ".join(epoch_and_batch(bad.epoch, bad.batch))
        yield f"{bad.key} is {bad.value}" + (f" since {where}" if where else "")
    batches, batch_ns = fit.batches.get(fit.stage, 0), fit.batch_ns.get(fit.stage, 0)
    for (callback, hook), ns in fit.hook_ns.items():
        if batches < _FIRST_BATCHES or not hook.endswith(("batch_begin", "batch_end")):
            continue
        each = ns / fit.hook_calls[callback, hook]
        if "test" not in hook and ns > SHARE * batch_ns and each >= LEAST_NS:
            yield f"{callback}.{hook} takes {share(ns, batch_ns)} of the batches' time, {duration(each)} a call"
    for stop in fit.stops:
        by = f" by {stop.callback}.{stop.hook}" if stop.callback else ""
        when = f" in epoch {stop.epoch}" if stop.epoch is not None else ""
        yield f"stop_training was set to {stop.value}{by}{when}"
