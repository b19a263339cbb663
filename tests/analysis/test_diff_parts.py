"""The parts of `diff`, each on rows of two fits written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fittrace.analysis.diff.argument_diff import argument_differences
from fittrace.analysis.diff.comparison_data import ComparedFit, PhaseTime
from fittrace.analysis.diff.hook_diff import hook_differences
from fittrace.analysis.diff.log_diff import log_differences
from fittrace.analysis.diff.time_diff import phase_times
from fittrace.views.comparison import line

from .rows import FIT, MS, NO_VALUES, batches, hook, hooks, settings, stop, stops, value

NO_LOGS = pd.DataFrame({name: [] for name in ("hook", "key", "stage", "epoch", "batch", "value", "text")})


def fit(**tables: pd.DataFrame) -> ComparedFit:
    """A fit with these rows."""
    given = {"hooks": hooks([hook("on_epoch_end")]), "logs": NO_LOGS, "spans": pd.DataFrame(), "batches": batches(1, 8)}
    given |= {"stops": stops(), "values": NO_VALUES}
    return ComparedFit(row=pd.concat([FIT, pd.Series({"method": "fit"})]), **(given | tables), steps=lambda: None)


def test_arguments_and_settings() -> None:
    def asked(batch_size: float, patience: float, loss: str, shape: str) -> ComparedFit:
        begin, of_callback = settings("EarlyStopping", patience=patience, hooks=["on_epoch_end"])
        again, of_another = settings("EarlyStopping", 2, patience=7)
        rows = [value("batch_size", batch_size), value("x", text=shape), value("batch_size", 3.0, span=50)]
        rows += [*of_callback, *of_another, value("compile.loss", text=loss, span=3)]
        return fit(hooks=hooks([begin, again]), values=pd.DataFrame(rows))

    one = asked(8, 3, "mse", "<numpy.ndarray float32 (64, 4)>")
    found = argument_differences(0, one, asked(16, 5, "mae", "<numpy.ndarray float32 (32, 4)>"))
    assert [line(difference) for difference in found] == [
        "arguments argument: fit 0: batch_size of fit is 8 in A, 16 in B",
        "arguments argument: fit 0: x of fit is <numpy.ndarray float32 (64, 4)> in A, <numpy.ndarray float32 (32, 4)> "
        "in B",
        "arguments setting: fit 0: loss of compile is mse in A, mae in B",
        "arguments setting: fit 0: patience of EarlyStopping is 3 in A, 5 in B",
    ]
    assert list(argument_differences(0, one, one)) == []
    # Another version has other arguments, and keeps them in its own way.
    mine, other = value("compile.run_eagerly", 0.0), value("compile.run_eagerly", text="None")
    a, b = (fit(values=pd.DataFrame([row])) for row in (mine, other))
    assert len(list(argument_differences(0, a, b))) == 1
    later = replace(b, row=b.row.replace({"3.15.1": "3.16.0"}))
    assert list(argument_differences(0, a, later)) == []
    assert len(list(argument_differences(0, a, replace(later, values=a.values.assign(value=1.0))))) == 1
    assert list(argument_differences(0, one, fit(values=pd.DataFrame([value("steps", 3.0)])))) == []


def test_who_stopped() -> None:
    early = stops(stop("True", "EarlyStopping", epoch=4), stop("False", None, epoch=5), stop("True", "Mine", epoch=7))

    def found(a: pd.DataFrame, b: pd.DataFrame) -> list[str]:
        return [line(one) for one in hook_differences(0, fit(stops=a), fit(stops=b))]

    assert found(early, early) == []
    assert found(early, early[:1]) == [
        "hooks stopped: fit 0: stopped by Mine.on_epoch_end in epoch 7 in A, EarlyStopping.on_epoch_end in epoch 4 in B"
    ]
    assert found(early, early[:2]) == [
        "hooks stopped: fit 0: stopped by Mine.on_epoch_end in epoch 7 in A, nobody in B"
    ]
    outside = stops(stop("True", None, epoch=None))
    assert "code outside of hooks in A, nobody in B" in found(outside, stops())[0]


def _logged(losses: Sequence[float | str | None]) -> ComparedFit:
    """A fit whose epochs end with these losses: a number, a text, or no loss at all."""
    ends = hooks([hook("on_epoch_end", epoch=epoch) for epoch in range(len(losses))])
    rows = [
        {"hook": "on_epoch_end", "key": "loss", "stage": "train", "epoch": epoch, "batch": pd.NA}
        | ({"value": None, "text": loss} if isinstance(loss, str) else {"value": loss, "text": None})
        for epoch, loss in enumerate(losses)
        if loss is not None
    ]
    logs = pd.DataFrame(rows).astype({"epoch": "Int64", "batch": "Int64", "value": float})
    return fit(hooks=ends, logs=logs)


def _log_lines(a: Sequence[float | str | None], b: Sequence[float | str | None]) -> list[str]:
    return [line(found) for found in log_differences(0, _logged(a), _logged(b), 1e-6)]


def test_keys_that_some_epochs_lack() -> None:
    assert _log_lines([3.0, 2.0, 1.0], [3.0, None, None]) == [
        "logs missing: fit 0, epoch 1: on_epoch_end is given no loss in B, 2 of 3 times"
    ]
    assert _log_lines([None, 2.0], [1.0, 2.0]) == [
        "logs missing: fit 0, epoch 0: on_epoch_end is given no loss in A, 1 of 2 times"
    ]
    assert _log_lines([3.0, 2.0], [3.0]) == []  # of another number of epochs another line tells


def test_what_a_tensor_is_worth_is_no_difference() -> None:
    tensor = "<EagerTensor float32>"
    assert _log_lines([tensor, tensor], [tensor, tensor]) == []
    assert _log_lines([tensor, tensor], [3.0, 2.0]) == [
        "logs type: fit 0: loss of on_epoch_end is <EagerTensor float32> in A, a number in B"
    ]
    assert _log_lines([tensor, 2.0], [3.0, 1.0]) == [
        "logs type: fit 0: loss of on_epoch_end is <EagerTensor float32> in A, a number in B",
        "logs value: fit 0, epoch 1: loss of on_epoch_end differs: 2 in A, 1 in B, then 1 of 2 times, by up to 50 %",
    ]
    assert _log_lines(["a", "b"], ["a", "c"]) == [
        "logs value: fit 0, epoch 1: loss of on_epoch_end differs: b in A, c in B, then 1 of 2 times"
    ]


def _timed(durations_ns: Mapping[tuple[str, str | None], np.ndarray], first_ns: int = 5 * MS) -> ComparedFit:
    """A fit of batches whose hooks, of a list or of a callback in it, take so long."""
    rows = [{"span": 0, "parent": -1, "phase": "fit", "callback": None, "hook": None, "duration_ns": 1000 * MS}]
    for (name, callback), times in durations_ns.items():
        for took in times:
            around = len(rows) - 1 if callback else 0
            row = {"span": len(rows), "parent": around, "phase": "hooks", "callback": callback, "hook": name}
            rows.append(row | {"duration_ns": int(took)})
    train = batches(1, 20)
    train.loc[0, "duration_ns"] = first_ns
    return fit(spans=pd.DataFrame(rows).assign(status="ok"), batches=train)


def _times(a: ComparedFit, b: ComparedFit) -> dict[str, PhaseTime]:
    return {time.name: time for time in phase_times(0, a, b, 0.25)}


def test_each_hook_has_a_time_of_its_own() -> None:
    noise = 1 + 0.1 * np.sin(np.arange(80))
    begin, end = "on_train_batch_begin", "on_train_batch_end"

    def slept(sleep_ms: float) -> ComparedFit:
        quick, slow = 0.5 * MS * noise, (0.5 + sleep_ms) * MS * noise
        parts = {(begin, None): quick * 1.2, (begin, "C"): quick, (end, None): slow * 1.2, (end, "C"): slow}
        return _timed(parts | {(end, "Tiny"): noise * 1000})

    a, b = slept(0), slept(50)
    found = _times(a, b)
    differing = [name for name, time in found.items() if time.differs]
    assert differing == [f"hooks {end}", f"hooks C.{end}"]
    assert found[f"hooks C.{end}"].cost_ns == pytest.approx(50 * MS * noise.sum(), rel=1e-6)
    assert next(iter(found)) == f"hooks {end}"  # what costs most comes first
    assert f"hooks Tiny.{end}" not in found
    assert not any(time.differs for time in _times(a, a).values())


def test_what_is_slow_in_a_few_batches_differs_though_its_median_does_not() -> None:
    noise = 1 + 0.1 * np.sin(np.arange(200))
    saving = MS * noise
    saving[::10] = 40 * MS
    end = ("on_train_batch_end", "Saver")
    (found,) = [
        time for name, time in _times(_timed({end: MS * noise}), _timed({end: saving})).items() if "Saver" in name
    ]
    assert found.differs and found.ratio < 1.1


def test_the_first_batch() -> None:
    a, slow, rather = (_timed({}, first_ns=first * MS) for first in (1_000, 4_000, 1_300))
    assert _times(a, slow)["first batch"].differs
    assert not _times(a, rather)["first batch"].differs
    tiny, less = (_timed({}, first_ns=first * MS) for first in (10, 100))
    assert not _times(tiny, less)["first batch"].differs
