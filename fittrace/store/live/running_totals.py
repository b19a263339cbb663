"""A sink for derived rows that adds them up and keeps only the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...schema.tables import BATCH_PHASES
from ..parquet.arrow_columns import Values
from .fit_totals import MOST_HOOKS, MOST_KEYS, OTHER, FirstBadValue, FitTotals, Stop

FITS_KEPT = 16
"""Fits whose totals are kept, at most. A program may have any number of fits."""

_ARGUMENTS = frozenset({"epochs", "initial_epoch", "steps_per_epoch", "compile.steps_per_execution"})
"""The arguments of `fit` that say how long it will be."""
_BATCH_ENDS = frozenset({"on_batch_end", "on_train_batch_end", "on_test_batch_end", "on_predict_batch_end"})
_AS_MADE = -1
"""The `position` of logs as the engine made them."""

_Columns = dict[str, Any]


class RunningTotals:
    """The totals of the last fits of one process, as a `Sink`.

    - `fits`: the totals by the number of the fit.
    """

    def __init__(self) -> None:
        self.fits: dict[int, FitTotals] = {}
        self._take: dict[str, Callable[[_Columns], None]] = {
            "spans": self._spans,
            "batches": self._batches,
            "logs": self._logs,
            "values": self._values,
            "stops": self._stops,
            "fits": self._ends,
        }

    def append(self, table: str, columns: Mapping[str, Values]) -> None:
        """Add rows of `table`. Those of tables that no total is made of are dropped."""
        if table in self._take:
            self._take[table](dict(columns))

    def _fit(self, number: int) -> FitTotals:
        """The totals of a fit. Of too many fits, those of the oldest one are forgotten."""
        if number not in self.fits:
            if len(self.fits) >= FITS_KEPT:
                ended = (kept for kept, totals in self.fits.items() if totals.status is not None)
                del self.fits[next(ended, next(iter(self.fits)))]
            self.fits[number] = FitTotals(number)
        return self.fits[number]

    def _spans(self, columns: _Columns) -> None:
        codes, stages = columns["stage"]
        columns["stage"] = np.array(stages)[codes]
        codes, phases = columns["phase"]
        columns["phase"] = np.array(phases)[codes]
        for number in np.unique(columns["fit"]).tolist():
            self._add_spans(self._fit(number), _rows(columns, columns["fit"] == number))

    def _add_spans(self, fit: FitTotals, columns: _Columns) -> None:
        end = columns["start_ns"] + columns["duration_ns"]
        fit.latest_ns = max(fit.latest_ns, int(end.max()))
        start = int(columns["start_ns"].min())
        fit.start_ns = start if fit.start_ns is None else min(fit.start_ns, start)
        _add_hooks(fit, columns)
        _add_epochs_and_batches(fit, columns, end)

    def _batches(self, columns: _Columns) -> None:
        """Add the time of batches in each phase. Rows of `batches` come two windows later than their spans."""
        codes, stages = columns["stage"]
        for number in np.unique(columns["fit"]).tolist():
            fit = self._fit(number)
            for code in np.unique(codes[columns["fit"] == number]).tolist():
                chosen = (columns["fit"] == number) & (codes == code)
                times = {phase: int(columns[f"{phase}_ns"][chosen].sum()) for phase in BATCH_PHASES}
                times[OTHER] = int(columns["duration_ns"][chosen].sum()) - sum(times.values())
                for phase, ns in times.items():
                    fit.phase_ns[stages[code], phase] = fit.phase_ns.get((stages[code], phase), 0) + ns

    def _logs(self, columns: _Columns) -> None:
        hook_codes, hooks = columns["hook"]
        key_codes, keys = columns["key"]
        stage_codes, stages = columns["stage"]
        at_batch_end = np.isin(hook_codes, [code for code, hook in enumerate(hooks) if hook in _BATCH_ENDS])
        at_epoch_end = np.isin(hook_codes, [code for code, hook in enumerate(hooks) if hook == "on_epoch_end"])
        masked = columns["value"]
        is_number, values = ~np.ma.getmaskarray(masked), masked.data
        # What the engine made, once for each batch; and the logs of an epoch as the last callback left them.
        as_made = at_batch_end & (columns["position"] == _AS_MADE)
        for number in np.unique(columns["fit"]).tolist():
            fit = self._fit(number)
            of_fit = (columns["fit"] == number) & is_number
            for code in np.unique(key_codes[of_fit]).tolist():
                of_key = of_fit & (key_codes == code)
                key = keys[code]
                _add_bad_values(fit, key, columns, of_key & ~np.isfinite(values))
                _keep_last(fit.epoch_logs, key, values[of_key & at_epoch_end])
                own = as_made & of_key & (stage_codes == list(stages).index(fit.stage))
                _keep_last(fit.batch_logs, key, values[own])
                if key == "loss":
                    for value in values[own].tolist():
                        fit.loss.add(value)

    def _values(self, columns: _Columns) -> None:
        for fit, key, value in zip(columns["fit"].tolist(), columns["key"], columns["value"]):
            # The arguments of `fit` come before those of its validations.
            if key in _ARGUMENTS and value is not None:
                self._fit(fit).arguments.setdefault(key, value)

    def _stops(self, columns: _Columns) -> None:
        hook_codes, hooks = columns["hook"]
        class_codes, classes = columns["callback"]
        for row, number in enumerate(columns["fit"].tolist()):
            hook, callback = int(hook_codes[row]), int(class_codes[row])
            stop = Stop(
                columns["value"][row],
                classes[callback] if callback >= 0 else None,
                hooks[hook] if hook >= 0 else None,
                _number(columns["epoch"], row),
            )
            self._fit(number).stops.append(stop)

    def _ends(self, columns: _Columns) -> None:
        for number, status, error in zip(columns["fit"], columns["status"], columns["error"]):
            fit = self._fit(int(number))
            fit.status, fit.error = status, error


def _rows(columns: _Columns, chosen: np.ndarray[Any, Any]) -> _Columns:
    """The chosen rows. Columns of texts are pairs of codes and texts."""
    return {
        name: (values[0][chosen], values[1]) if isinstance(values, tuple) else values[chosen]
        for name, values in columns.items()
        if name != "thread"
    }


def _add_hooks(fit: FitTotals, columns: _Columns) -> None:
    """Add the time of the calls of callbacks' hooks."""
    class_codes, classes = columns["callback"]
    hook_codes, hooks = columns["hook"]
    calls = np.flatnonzero((class_codes >= 0) & (hook_codes >= 0))
    pairs, pair_of = np.unique(class_codes[calls] * max(len(hooks), 1) + hook_codes[calls], return_inverse=True)
    for index, pair in enumerate(pairs.tolist()):
        callback, hook = divmod(pair, max(len(hooks), 1))
        name = (classes[callback], hooks[hook])
        if name in fit.hook_ns or len(fit.hook_ns) < MOST_HOOKS:
            of_pair = calls[pair_of == index]
            fit.hook_ns[name] = fit.hook_ns.get(name, 0) + int(columns["duration_ns"][of_pair].sum())
            fit.hook_calls[name] = fit.hook_calls.get(name, 0) + len(of_pair)


def _add_epochs_and_batches(fit: FitTotals, columns: _Columns, end: np.ndarray[Any, Any]) -> None:
    """Count epochs and batches, and note which batch is the last one."""
    batches = np.flatnonzero(columns["phase"] == "batch")
    if len(batches) and not fit.batches:
        # Its root span, which says the stage, comes last. A validation comes after the first batch of training.
        fit.stage = str(columns["stage"][batches[np.argmin(columns["start_ns"][batches])]])
    for stage in np.unique(columns["stage"][batches]).tolist():
        of_stage = batches[columns["stage"][batches] == stage]
        fit.batches[stage] = fit.batches.get(stage, 0) + len(of_stage)
        fit.batch_ns[stage] = fit.batch_ns.get(stage, 0) + int(columns["duration_ns"][of_stage].sum())
        if stage == fit.stage:
            last = int(of_stage[np.argmax(columns["start_ns"][of_stage])])
            fit.recent.append((int(end[last]), fit.batches[stage]))
            counts = Counter(np.ma.filled(columns["epoch"], -1)[of_stage].tolist())
            counts[fit.epoch] += fit.batches_in_epoch
            fit.epoch, fit.batch = (int(np.ma.filled(columns[name], -1)[last]) for name in ("epoch", "batch"))
            fit.batches_in_epoch = counts.pop(fit.epoch)
            fit.steps = max(fit.steps, *counts.values(), 0)
    ended = np.flatnonzero(columns["phase"] == "epoch")
    fit.epochs += len(ended)
    fit.epoch_ns.extend(columns["duration_ns"][ended].tolist())


def _add_bad_values(fit: FitTotals, key: str, columns: _Columns, bad: np.ndarray[Any, Any]) -> None:
    found = np.flatnonzero(bad)
    if len(found) and key not in fit.bad_values and len(fit.bad_values) < MOST_KEYS:
        first = int(found[0])
        value = float(columns["value"].data[first])
        epoch, batch = _number(columns["epoch"], first), _number(columns["batch"], first)
        fit.bad_values[key] = FirstBadValue(key, value, epoch, batch)


def _keep_last(values: dict[str, float], key: str, new: np.ndarray[Any, Any]) -> None:
    if len(new) and (key in values or len(values) < MOST_KEYS):
        values[key] = float(new[-1])


def _number(column: np.ma.MaskedArray[Any, Any], row: int) -> int | None:
    """The number in a nullable column; None where it is null."""
    return None if np.ma.getmaskarray(column)[row] else int(column.data[row])
