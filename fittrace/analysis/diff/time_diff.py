"""The time of each phase and of each callback's hook in two fits, and how far chance alone may have brought it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from .difference import LATER_NAMES, ComparedFit, PhaseTime

_BLOCKS = 10
_LEAST = 12
"""Spans from which on noise can be told."""
_SHARE = 0.01
"""From this share of the fit's time on, in one of them, what a hook takes is compared."""
_FIRST = 1.5
"""Times as long as the other a first batch must take to differ: of one batch alone chance is not known."""
_LEAST_NS = 500_000_000
"""By how much first batches must differ."""

Floats = npt.NDArray[np.float64]
What = tuple[str, str | None, str | None]
"""A phase, and where it is one of hooks, the hook and the callback."""


def phase_times(number: int, a: ComparedFit, b: ComparedFit, tolerance: float) -> Iterator[PhaseTime]:
    """The time of each phase that both fits of the pair `number` have; first what costs most in one and not in the
    other.

    It differs where the ratio of medians, or that of means, is beyond `1 + tolerance`, either way, even if chance had
    its largest part in it.
    """
    durations_a, durations_b = _durations(a), _durations(b)
    found = [
        _compared(number, what, durations_a[what], durations_b[what], tolerance)
        for what in durations_a
        if what in durations_b
    ]
    whole = min(int(fit.row["duration_ns"]) for fit in (a, b))
    found = [one for one in found if one.phase != "hooks" or _matters(one, whole)]
    found += _first_batches(number, a, b, tolerance)
    yield from sorted(found, key=lambda one: -one.cost_ns)


def _compared(number: int, what: What, a: Floats, b: Floats, tolerance: float) -> PhaseTime:
    median_a, median_b = float(np.median(a)), float(np.median(b))
    noise = _noise(a, b, np.median)
    differs = _is_beyond(median_a, median_b, noise, tolerance)
    # What happens in a few batches does not show in the median.
    if not differs and len(a) == len(b):
        differs = _is_beyond(float(np.mean(a)), float(np.mean(b)), _noise(a, b, np.mean), tolerance)
    phase, hook, callback = what
    return PhaseTime(
        number,
        phase,
        len(a),
        len(b),
        round(float(a.sum())),
        round(float(b.sum())),
        round(median_a),
        round(median_b),
        median_b / median_a if median_a else 1.0,
        noise,
        differs,
        hook,
        callback,
    )


def _matters(time: PhaseTime, whole_ns: int) -> bool:
    return max(time.total_a_ns, time.total_b_ns) > _SHARE * whole_ns


def _is_beyond(a: float, b: float, noise: float | None, tolerance: float) -> bool:
    if noise is None or a == b:
        return False
    distance = abs(np.log(b / a)) if a > 0 and b > 0 else np.inf
    return bool(distance > np.log1p(tolerance) + np.log(noise))


def _durations(fit: ComparedFit) -> dict[What, Floats]:
    """The durations of the spans of each phase, in order of time, without those that lie in one of the same phase; of
    hooks those of each hook, and of each callback's."""
    phases = fit.spans.set_index("span")["phase"].astype(str)
    spans = fit.spans[fit.spans["status"] == "ok"]
    is_hook = (spans["phase"] == "hooks").to_numpy(bool)
    outer = spans["parent"].map(phases).astype(object) != spans["phase"].astype(object)
    found: dict[What, Floats] = {
        (str(phase), None, None): rows["duration_ns"].to_numpy(float)
        for phase, rows in spans[outer.to_numpy(bool) & ~is_hook].groupby("phase", observed=True)
    }
    hooks = spans[is_hook & (outer | spans["callback"].notna()).to_numpy(bool)]
    names = hooks["hook"].astype(object).map(lambda hook: LATER_NAMES.get(hook, hook))
    owners = hooks["callback"].astype(object).where(hooks["callback"].notna(), None)
    for (hook, callback), rows in hooks.groupby([names, owners], observed=True, dropna=False):
        key = "hooks", _text(hook), _text(callback)
        found[key] = rows["duration_ns"].to_numpy(float)
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _first_batches(number: int, a: ComparedFit, b: ComparedFit, tolerance: float) -> Iterator[PhaseTime]:
    """The first training batch, in which functions are built, where both have one."""
    train = [fit.batches[(fit.batches["stage"] == "train").to_numpy(bool)] for fit in (a, b)]
    if any(len(batches) < 2 for batches in train):
        return
    first_a, first_b = (int(batches["duration_ns"].iloc[0]) for batches in train)
    ratio = first_b / first_a if first_a else 1.0
    far = max(ratio, 1 / ratio if ratio else np.inf) > _FIRST * (1 + tolerance)
    differs = bool(far and abs(first_b - first_a) > _LEAST_NS)
    yield PhaseTime(number, "first batch", 1, 1, first_a, first_b, first_a, first_b, ratio, noise=None, differs=differs)


def _noise(a: Floats, b: Floats, middle: Callable[[Floats], object]) -> float | None:
    """The factor within which the ratio of the middles lies in 19 of 20 cases.

    From the middles of blocks that follow each other, for neighbours are alike: a machine is slow for a while.
    """
    if min(len(a), len(b)) < _LEAST:
        return None
    variance = 0.0
    for durations in (a, b):
        blocks = np.array_split(durations, min(_BLOCKS, len(durations) // 3))
        logs = np.log([max(float(str(middle(block))), 1.0) for block in blocks])
        variance += float(np.var(logs, ddof=1)) / len(blocks)
    return float(np.exp(2 * np.sqrt(variance)))
