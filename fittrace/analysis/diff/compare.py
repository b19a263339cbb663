"""Pairs the fits of two traces and compares each pair in every aspect."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial

import pandas as pd

from ...replay import NoFlow, Replay, recording, unknown_of, visits_of
from ...schema.errors import FittraceError
from ...tables import TraceTables
from ..rows_by_fit import RowsByFit
from .argument_diff import argument_differences
from .comparison_data import ASPECTS, ComparedFit, Difference, PhaseTime, Steps, Tolerances
from .flow_diff import flow_differences
from .hook_diff import hook_differences
from .log_diff import log_differences
from .time_diff import phase_times


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    - `differences`: what differs, fit by fit.
    - `times`: the time of each phase in both traces.
    """

    differences: tuple[Difference, ...]
    times: tuple[PhaseTime, ...]

    @property
    def slower(self) -> bool:
        """Whether a time is longer in B than in A, by more than the tolerance and the noise."""
        return any(
            time.differs and time.total_b_ns / max(time.count_b, 1) > time.total_a_ns / max(time.count_a, 1)
            for time in self.times
        )

    @property
    def alike(self) -> bool:
        """Whether no difference was found."""
        return not self.differences and not any(time.differs for time in self.times)


def compare(
    a: TraceTables, b: TraceTables, aspects: Collection[str] = ASPECTS, tolerances: Tolerances | None = None
) -> Comparison:
    """Compare two runs.

    Fits are paired in their order, also those that were called in hooks of others. Raises `FittraceError` if `a` or `b`
    is a folder of runs.

    - `a`: the first run.
    - `b`: the second run.
    - `aspects`: what to compare, some of `ASPECTS`.
    - `tolerances`: how much values and times may differ; the defaults of `Tolerances` if None.
    """
    tolerances = tolerances or Tolerances()
    for trace in (a, b):
        if trace.is_folder:
            raise FittraceError(
                f"{trace.path}: a folder of runs; give one of them, `fittrace ls {trace.path}` lists them"
            )
    differences: list[Difference] = []
    times: list[PhaseTime] = []
    for number, (fit_a, fit_b) in enumerate(_pairs(list(_fits(a)), list(_fits(b)))):
        if fit_a is None or fit_b is None:
            differences.append(_unpaired(number, fit_a, fit_b))
            continue
        differences += _statuses(number, fit_a, fit_b)
        if "arguments" in aspects:
            differences += argument_differences(number, fit_a, fit_b)
        if "hooks" in aspects:
            differences += hook_differences(number, fit_a, fit_b)
        if "logs" in aspects:
            differences += log_differences(number, fit_a, fit_b, tolerances.value)
        if "flow" in aspects:
            differences += flow_differences(number, fit_a, fit_b)
        if "time" in aspects:
            times += phase_times(number, fit_a, fit_b, tolerances.time)
    return Comparison(tuple(differences), tuple(times))


def _fits(trace: TraceTables) -> Iterator[ComparedFit]:
    fits = trace.fits()
    names = ("hooks", "logs", "spans", "batches", "stops", "values")
    tables = {name: RowsByFit(getattr(trace, name)(), "process", "fit") for name in names}
    for _, row in fits.iterrows():
        own = {name: table.of(row) for name, table in tables.items()}
        if not own["spans"]["span"].is_unique:  # a damaged trace may have a span twice
            own["spans"] = own["spans"].drop_duplicates("span")
        yield ComparedFit(row, **own, steps=partial(_steps, trace, row))


def _steps(trace: TraceTables, fit: pd.Series) -> Steps | None:
    # The steps of a fit in a hook are among those of the fit around it.
    if not pd.isna(fit["parent_fit"]):
        return None
    try:
        replay = Replay(recording(trace, int(fit["fit"]), int(fit["process"])))
    except NoFlow:
        return None
    return Steps(visits_of(replay), complete=not unknown_of(replay))


def _pairs(a: list[ComparedFit], b: list[ComparedFit]) -> Iterator[tuple[ComparedFit | None, ComparedFit | None]]:
    """The fits of both traces in order, in pairs where their methods are aligned, else with None."""
    methods_a, methods_b = ([str(fit.row["method"]) for fit in fits] for fits in (a, b))
    matcher = SequenceMatcher(None, methods_a, methods_b, autojunk=False)
    for _, start_a, end_a, start_b, end_b in matcher.get_opcodes():
        # Equal parts are pairs. In all others the matcher has found no fit that both traces have.
        if end_a - start_a == end_b - start_b and methods_a[start_a:end_a] == methods_b[start_b:end_b]:
            yield from zip(a[start_a:end_a], b[start_b:end_b], strict=True)
        else:
            yield from ((fit, None) for fit in a[start_a:end_a])
            yield from ((None, fit) for fit in b[start_b:end_b])


def _unpaired(number: int, a: ComparedFit | None, b: ComparedFit | None) -> Difference:
    """The difference of a fit that only one trace has: one of `a` and `b` is None."""
    fit = b if a is None else a
    assert fit is not None
    which, lacks = ("B", "A") if a is None else ("A", "B")
    message = f"{fit.row['method']} {fit.row['fit']} of {which} is not in {lacks}"
    return Difference("fits", "lost" if b is None else "added", number, message)


def _statuses(number: int, a: ComparedFit, b: ComparedFit) -> Iterator[Difference]:
    if a.row["status"] != b.row["status"]:
        ending_a, ending_b = (
            f"{fit.row['status']}" + ("" if pd.isna(fit.row["error"]) else f" ({fit.row['error']})") for fit in (a, b)
        )
        yield Difference("fits", "status", number, f"ended {ending_a} in A, {ending_b} in B")
