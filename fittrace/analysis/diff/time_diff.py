"""Compares the time of each phase and of each callback's hook in two fits, and estimates the noise in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from .comparison_data import LATER_NAMES, ComparedFit, PhaseTime

_BLOCKS = 10
"""Noise is estimated from so many blocks of consecutive spans."""
_LEAST = 12
"""With fewer spans, noise is not estimated."""
_SHARE = 0.01
"""A hook is compared if it takes more than this share of the shorter fit's time in either fit."""
_FIRST = 1.5
"""First batches differ only beyond this ratio, since there is no estimate of noise for a single batch."""
_LEAST_NS = 500_000_000
"""First batches differ only by more than this time."""

Floats = npt.NDArray[np.float64]
Part = tuple[str, str | None, str | None]
"""What is timed: a phase and, for the phase `hooks`, the hook and the callback."""


def phase_times(number: int, a: ComparedFit, b: ComparedFit, tolerance: float) -> Iterator[PhaseTime]:
    """The time of each phase that both fits have, those with the largest difference first.

    A time differs if the ratio of medians, or that of means, is beyond `1 + tolerance` in either direction even after
    the noise has been taken off.

    - `number`: the number of the pair of fits.
    - `a`: the first fit.
    - `b`: the second fit.
    - `tolerance`: the relative difference up to which times count as equal.
    """
    durations_a, durations_b = _durations(a), _durations(b)
    times = [
        _compared(number, part, durations_a[part], durations_b[part], tolerance)
        for part in durations_a
        if part in durations_b
    ]
    shorter_ns = min(int(fit.row["duration_ns"]) for fit in (a, b))
    times = [time for time in times if time.phase != "hooks" or _matters(time, shorter_ns)]
    times += _first_batches(number, a, b, tolerance)
    yield from sorted(times, key=lambda time: -time.cost_ns)


def _compared(number: int, part: Part, a: Floats, b: Floats, tolerance: float) -> PhaseTime:
    """The comparison of the durations `a` and `b` of one part."""
    median_a, median_b = float(np.median(a)), float(np.median(b))
    noise = _noise(a, b, np.median)
    differs = _is_beyond(median_a, median_b, noise, tolerance)
    # A slowdown of a few batches changes the mean, but not the median. Means are compared only with equal counts, since
    # a rare slow span weighs more in a fit with fewer spans.
    if not differs and len(a) == len(b):
        differs = _is_beyond(float(np.mean(a)), float(np.mean(b)), _noise(a, b, np.mean), tolerance)
    phase, hook, callback = part
    return PhaseTime(
        fit=number,
        phase=phase,
        count_a=len(a),
        count_b=len(b),
        total_a_ns=round(float(a.sum())),
        total_b_ns=round(float(b.sum())),
        median_a_ns=round(median_a),
        median_b_ns=round(median_b),
        ratio=median_b / median_a if median_a else 1.0,
        noise=noise,
        differs=differs,
        hook=hook,
        callback=callback,
    )


def _matters(time: PhaseTime, fit_ns: int) -> bool:
    return max(time.total_a_ns, time.total_b_ns) > _SHARE * fit_ns


def _is_beyond(a: float, b: float, noise: float | None, tolerance: float) -> bool:
    """Whether the ratio of `a` and `b` is beyond the tolerance and the noise together."""
    if noise is None or a == b:
        return False
    # In logarithms, twice as fast is as far away as twice as slow.
    distance = abs(np.log(b / a)) if a > 0 and b > 0 else np.inf
    return bool(distance > np.log1p(tolerance) + np.log(noise))


def _durations(fit: ComparedFit) -> dict[Part, Floats]:
    """The durations of the spans of each part, in order of time.

    The phase `hooks` is divided into hooks, and these into callbacks. A span inside one of the same phase is left out,
    since the outer one has its time.
    """
    phases = fit.spans.set_index("span")["phase"].astype(str)
    spans = fit.spans[fit.spans["status"] == "ok"]
    is_hook = (spans["phase"] == "hooks").to_numpy(bool)
    outer = spans["parent"].map(phases).astype(object) != spans["phase"].astype(object)
    durations: dict[Part, Floats] = {
        (str(phase), None, None): rows["duration_ns"].to_numpy(float)
        for phase, rows in spans[outer.to_numpy(bool) & ~is_hook].groupby("phase", observed=True)
    }
    # A callback's hook lies in the span of its `CallbackList.on_*`, which has the same phase, but is a part of its own.
    hooks = spans[is_hook & (outer | spans["callback"].notna()).to_numpy(bool)]
    names = hooks["hook"].astype(object).map(lambda hook: LATER_NAMES.get(hook, hook))
    owners = hooks["callback"].astype(object).where(hooks["callback"].notna(), None)
    for (hook, callback), rows in hooks.groupby([names, owners], observed=True, dropna=False):
        durations["hooks", _text(hook), _text(callback)] = rows["duration_ns"].to_numpy(float)
    return durations


def _text(value: object) -> str | None:
    # pandas may give a missing name of a group as None or as NaN.
    return value if isinstance(value, str) else None


def _first_batches(number: int, a: ComparedFit, b: ComparedFit, tolerance: float) -> Iterator[PhaseTime]:
    """The time of the first training batch, in which functions are built, if both fits have more than one batch."""
    train = [fit.batches[(fit.batches["stage"] == "train").to_numpy(bool)] for fit in (a, b)]
    if any(len(batches) < 2 for batches in train):
        return
    first_a, first_b = (int(batches["duration_ns"].iloc[0]) for batches in train)
    ratio = first_b / first_a if first_a else 1.0
    far = max(ratio, 1 / ratio if ratio else np.inf) > _FIRST * (1 + tolerance)
    differs = bool(far and abs(first_b - first_a) > _LEAST_NS)
    yield PhaseTime(number, "first batch", 1, 1, first_a, first_b, first_a, first_b, ratio, noise=None, differs=differs)


def _noise(a: Floats, b: Floats, middle: Callable[[Floats], object]) -> float | None:
    """The factor within which the ratio of two middles lies by chance in 19 of 20 cases.

    It comes from the variance between blocks of consecutive spans. The variance between single spans would be too
    small: a busy machine is slow for a while, so neighbours are alike.

    - `a`: the durations in A.
    - `b`: the durations in B.
    - `middle`: the median or the mean.
    """
    if min(len(a), len(b)) < _LEAST:
        return None
    variance = 0.0
    for durations in (a, b):
        # At least three spans in a block, so that its middle is no single span.
        blocks = np.array_split(durations, min(_BLOCKS, len(durations) // 3))
        # Logarithms, since noise is a factor. A duration of 0 counts as 1 ns, which has one.
        logs = np.log([max(float(str(middle(block))), 1.0) for block in blocks])
        variance += float(np.var(logs, ddof=1)) / len(blocks)
    # Two standard errors on either side hold 95 % of a normal distribution.
    return float(np.exp(2 * np.sqrt(variance)))
