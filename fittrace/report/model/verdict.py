"""Where the time of a fit went: the parts of its time, and a sentence that names the largest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...analysis.units import duration
from ...views.end_position import OWN_STAGE

NAMED = 0.1
"""A part below this share of the fit is not named: it is not worth a change of the program."""
STANDS_OUT = 0.3
"""If no part has this share, nothing stands out, and the verdict says so."""
MOST_NAMED = 3
"""Parts that are named at most: one sentence holds no more."""
MAINLY = 0.5
"""A callback's hook is named with the hooks if it took this share of their time."""
DRAWN = 0.005
"""Parts below this share are drawn together as `other`: they would be thinner than a line."""

_LABELS = {
    "function": "function",
    "building": "first batches",
    "validation": "function in validation",
    "hooks": "hooks",
    "slice": "data",
    "to_dense": "to_dense",
    "logs": "logs",
    "prepare": "preparing",
    "other": "other",
}
"""The parts, in the order in which they are drawn, with their labels."""

_PARTS_BY_PHASE = {
    "function": "function",
    "hooks": "hooks",
    "slice": "slice",
    "make_batches": "slice",
    "to_dense": "to_dense",
    "logs": "logs",
    "prepare": "prepare",
    "configure_callbacks": "prepare",
    "shuffle": "prepare",
    "stop": "prepare",
}
"""The part that a phase counts to. All other phases are the loops and calls around these: they count to `other`."""


@dataclass(frozen=True)
class FitTimes:
    """The figures that the verdict is made of. Times are nanoseconds.

    - `method`: `fit`, `evaluate` or `predict`.
    - `phases`: rows with `phase`, `stage` and `self`, the time in the phase without the phases inside it.
    - `hooks`: rows with `callback`, `hook`, `total` and `count`, the slowest first.
    - `building_ns`: by stage, what the function took in the first batch above the median of the others.
    - `fetches_inside`: whether the function fetches the data itself, as `tf.data` does.
    - `waiting`: the share of the function's time in which it waited for data; None if no batch was sampled.
    """

    method: str
    phases: Iterable[Mapping[str, Any]]
    hooks: Iterable[Mapping[str, Any]]
    building_ns: Mapping[str, float]
    fetches_inside: bool = False
    waiting: float | None = None


@dataclass(frozen=True)
class Part:
    """A part of a fit's time.

    - `key`: its name in the style sheet.
    - `label`: its name for the reader.
    - `title`: what is in it.
    - `ns`: the time, in nanoseconds.
    """

    key: str
    label: str
    title: str
    ns: float


@dataclass(frozen=True)
class Verdict:
    """Where the time went.

    - `sentence`: the largest parts, in one sentence.
    - `parts`: all parts, in the order in which they are drawn. Together they are the time of the fit's thread.
    """

    sentence: str
    parts: list[Part]


def verdict(times: FitTimes) -> Verdict:
    """Where the time of a fit went."""
    sums = _sums(times)
    whole = sum(sums.values())
    titles = _titles(times)
    drawn = {key: ns for key, ns in sums.items() if key != "other" and ns > 0 and ns >= DRAWN * whole}
    drawn["other"] = whole - sum(drawn.values())
    parts = [Part(key, _LABELS[key], titles[key], drawn[key]) for key in _LABELS if drawn.get(key, 0) > 0]
    return Verdict(_sentence(times, sums, whole), parts)


def _sums(times: FitTimes) -> dict[str, float]:
    """The time of each part. The first batches' excess is taken out of the function's."""
    sums = dict.fromkeys(_LABELS, 0.0)
    for row in times.phases:
        part = _PARTS_BY_PHASE.get(row["phase"], "other")
        in_function = row["phase"] == "function"
        is_validation = in_function and row["stage"] != OWN_STAGE.get(times.method)
        # Spans of other threads overlap with the fit's and have no time of their own here.
        part_ns = max(float(row["self"] or 0), 0.0)
        if in_function:
            building_ns = min(max(times.building_ns.get(row["stage"], 0.0), 0.0), part_ns)
            sums["building"] += building_ns
            part_ns -= building_ns
        sums["validation" if is_validation else part] += part_ns
    return sums


def _titles(times: FitTimes) -> dict[str, str]:
    fetch = ", with the fetch of data inside it" if times.fetches_inside else ""
    return {
        "function": f"computing{fetch}: the backend's function in the batches",
        "building": "what the first batch of each stage took above the median of the others: it builds the function",
        "validation": "the backend's function in the batches of the validation",
        "hooks": "CallbackList.on_* and the hooks of the callbacks",
        "slice": "making and fetching batches in Python: the phases make_batches and slice",
        "to_dense": "turning sparse inputs dense",
        "logs": "turning what the function returned into logs",
        "prepare": "the phases prepare, configure_callbacks, shuffle and stop",
        "other": "the loops of the engine, and all that is too small to be drawn",
    }


def _sentence(times: FitTimes, sums: Mapping[str, float], whole: float) -> str:
    if whole <= 0:
        return "Not clear: no time was recorded."
    call = f"the {times.method}" if times.method == "fit" else times.method
    largest = sorted((key for key in sums if key != "other"), key=lambda key: -sums[key])
    named = [key for key in largest if sums[key] >= NAMED * whole][:MOST_NAMED]
    # What no phase explains may be the largest part; the reader should know.
    unexplained = sums["other"] >= STANDS_OUT * whole
    if not unexplained and (not named or sums[named[0]] < STANDS_OUT * whole):
        return (
            f"Not clear: nothing stands out. The largest part, {_percent(sums[largest[0]], whole)} of {call}, "
            f"is {_clause(times, largest[0], sums)}."
        )
    clauses = [(_percent(sums[key], whole), _clause(times, key, sums)) for key in named]
    if unexplained:
        loops = "the loops of the engine, outside of all other phases"
        clauses.insert(0, (_percent(sums["other"], whole), loops))
    (share, where), *others = clauses
    return "; ".join([f"{share} of {call} went to {where}", *(f"{share} to {where}" for share, where in others)]) + "."


def _clause(times: FitTimes, key: str, sums: Mapping[str, float]) -> str:
    """A part in words, with what is known of its inside."""
    if key == "function":
        return f"the function ({_computing(times)})"
    if key == "building":
        return "building the function in the first batches"
    if key == "validation":
        return "the function in validation"
    if key == "hooks":
        return f"hooks{_main_hook(times, sums['hooks'])}"
    return {
        "slice": "making and fetching batches",
        "to_dense": "turning sparse inputs dense",
        "logs": "turning results into logs",
        "prepare": "preparing the call (data adapters, callbacks, functions)",
    }[key]


def _computing(times: FitTimes) -> str:
    if times.waiting is not None:
        return f"computing; waiting for data {100 * times.waiting:.0f} % of it, judged by sampled batches"
    return "computing, with the fetch of data inside it" if times.fetches_inside else "computing"


def _main_hook(times: FitTimes, hooks_ns: float) -> str:
    """The hook that took most of the hooks' time, if one did."""
    slowest = next(iter(times.hooks), None)
    # A hook on another thread may take longer than all the hooks' time on the fit's: then it explains nothing.
    if slowest is None or not MAINLY * hooks_ns <= float(slowest["total"]) <= 1.01 * hooks_ns:
        return ""
    times_called = f" in {slowest['count']:,} calls" if slowest["count"] > 1 else ""
    return f", most of it {slowest['callback']}.{slowest['hook']} ({duration(float(slowest['total']))}{times_called})"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %"
