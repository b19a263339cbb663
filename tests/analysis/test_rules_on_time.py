"""Rules on time: each finds what it is for, and nothing in what is nearly so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fittrace.analysis.rules.first_batches import first_batches
from fittrace.analysis.rules.slow_hook_rule import slow_callback
from fittrace.analysis.rules.time_rules import (
    callable_rebuilt,
    data_wait,
    first_batch,
    function_peaks,
    growing_batches,
    stalls,
)

from .rows import FIT, MS, NO_INNER, batches, hook, hooks, told, value


def test_data_wait() -> None:
    assert told(data_wait.find(batches())) == []
    waiting = batches(slice_ns=np.full(150, 3 * MS))
    assert told(data_wait.find(waiting))[0].startswith("fetching data takes 60 % of the batches' time, 3 ms each")
    # In a short fit, one pause of the machine may be most of the fetching.
    assert told(data_wait.find(waiting[:12])) == []
    # An iterator that takes its time to begin is no waiting.
    beginning = batches()
    beginning.loc[beginning["batch"] == 0, ["slice_ns", "duration_ns"]] = 5_000 * MS
    assert told(data_wait.find(beginning)) == []


@pytest.mark.parametrize("engine_wait", [18, 4])
def test_data_wait_is_judged_by_sampled_batches(engine_wait: int) -> None:
    """Where data are fetched inside the function, most batches do not tell how long they waited."""
    waiting = batches(2, 30, function_ns=np.full(60, 20 * MS), duration_ns=np.full(60, 21 * MS))
    waiting.loc[[0, 1, 2], "data_wait_ns"] = engine_wait * MS
    expected = "fetching data takes about 86 % of the batches' time, 18 ms each, judged by 2 sampled batches of 56"
    assert told(data_wait.find(waiting)) == ([expected] if engine_wait == 18 else [])
    # A pipeline that is slow only until its buffer is full.
    warm = waiting.copy()
    warm.loc[3:, ["function_ns", "duration_ns"]] = 2 * MS
    assert told(data_wait.find(warm)) == []
    one = waiting.copy()
    one.loc[2, "data_wait_ns"] = 0
    assert told(data_wait.find(one)) == []
    few = waiting.copy()
    few.loc[2, "data_wait_ns"] = pd.NA
    assert told(data_wait.find(few)) == []
    tiny = waiting.assign(function_ns=MS // 2, duration_ns=MS, data_wait_ns=waiting["data_wait_ns"] // 40)
    assert told(data_wait.find(tiny)) == []


def find_first(jit: float | None, *fits: tuple[int, int]) -> list[str]:
    """What `first-batch` says of fits of 50 batches that take so many ms, of which the first batch takes so many."""
    trained = []
    for number, (_, first) in enumerate(fits):
        rows = batches(1, 50).assign(fit=number)
        rows.loc[0, "duration_ns"] = first * MS
        trained.append(rows)
    table = pd.DataFrame({"fit": range(len(fits)), "duration_ns": [whole * MS for whole, _ in fits]})
    values = pd.DataFrame([value("compile.jit_compile", jit) | {"fit": number} for number in range(len(fits))])
    return told(first_batch.find(first_batches(table, pd.concat(trained), values)))


def test_first_batch() -> None:
    (message,) = find_first(1.0, (4_000, 3_005))
    assert message == "costs 3 s above the others, 75 % of the fit; jit_compile is on"
    assert find_first(1.0, (60_000, 3_005)) == []
    assert find_first(1.0, (1_500, 905)) == []
    # Any fit builds its functions once: where XLA is off, or it is not known, there is nothing to set.
    assert find_first(0.0, (4_000, 3_005)) == []
    assert find_first(None, (4_000, 3_005), (4_000, 3_005)) == []
    assert find_first(None, (14_000, 13_005)) == ["costs 13 s above the others, 93 % of the fit"]


def test_first_batches_of_many_fits_are_told_once() -> None:
    (message,) = find_first(0.0, *[(2_000, 1_505)] * 6, (60_000, 1_505))
    assert message == "costs 9 s above the others, 75 % of these 6 fits"


def test_function_peaks() -> None:
    assert told(function_peaks.find(FIT, batches())) == []
    peaks = batches()
    peaks.loc[[5, 17, 60, 61, 95], "function_ns"] = 300 * MS
    assert told(function_peaks.find(FIT, peaks)) == ["5 batches took 10 times the median in function, 1.50 s in all"]
    known = peaks.assign(retraced=peaks["function_ns"] > 100 * MS)
    assert len(told(function_peaks.find(FIT, known))) == 1
    # What takes long there is something else, such as data.
    assert told(function_peaks.find(FIT, peaks.assign(retraced=False))) == []
    reference = FIT.copy()
    reference["engine"] = "keras-2.2"
    assert told(function_peaks.find(reference, peaks)) == []


def test_growing_batches() -> None:
    assert told(growing_batches.find(batches())) == []
    growing = batches(duration_ns=np.linspace(5 * MS, 15 * MS, 150))
    assert told(growing_batches.find(growing))[0].startswith("a batch took 5.")
    stepped = batches(duration_ns=np.r_[np.full(75, 5 * MS), np.full(75, 15 * MS)])
    assert told(growing_batches.find(stepped)) == []


def test_stalls() -> None:
    nobody = hooks([hook("on_epoch_end")])
    assert told(stalls.find(batches(), nobody)) == []
    stalling = batches(epochs=1, each=150)
    stalling.loc[7::20, "slice_ns"] = 40 * MS
    assert told(stalls.find(stalling, nobody)) == ["slice takes 10 times its median every 20 batches, 8 times"]
    # Counted over all epochs, of which the first and the last batch are left out.
    over_epochs = batches(epochs=8, each=30)
    over_epochs.loc[7::20, "slice_ns"] = 40 * MS
    assert told(stalls.find(over_epochs, nobody)) == ["slice takes 10 times its median every 20 batches, 12 times"]
    traced = batches(epochs=1, each=150)
    traced.loc[7::20, ["function_ns", "retraced"]] = 400 * MS, True
    assert told(stalls.find(traced, nobody)) == []
    assert len(told(stalls.find(traced.assign(retraced=False), nobody))) == 1
    irregular = batches(epochs=1, each=150)
    irregular.loc[[7, 9, 30, 80, 81, 140], "slice_ns"] = 40 * MS
    assert told(stalls.find(irregular, nobody)) == []
    every_epoch = batches(epochs=6, each=25)
    every_epoch.loc[every_epoch["batch"] == 0, "slice_ns"] = 40 * MS
    assert told(stalls.find(every_epoch, nobody)) == []


def test_stalls_name_the_callback() -> None:
    stalling = batches(epochs=1, each=150)
    stalling.loc[7::20, ["hooks_ns", "duration_ns"]] = 40 * MS
    begins = stalling["start_ns"].tolist()
    calls = [
        hook("on_train_batch_end", name, batch=n, start_ns=at + 10, duration_ns=took if n % 20 == 7 else 1000)
        for n, at in enumerate(begins)
        for name, took in (("Saver", 39 * MS), ("Other", MS))
    ]
    (found,) = stalls.find(stalling, hooks(calls))
    assert (found.callback, found.hook) == ("Saver", "on_train_batch_end")
    assert found.message == "takes 10 times the median of hooks every 20 batches, 8 times"
    (unknown,) = stalls.find(stalling, hooks([hook("on_epoch_end", start_ns=-1)]))
    assert unknown.callback is None


def test_callable_rebuilt() -> None:
    spans = pd.DataFrame(
        {"name": "Function._make_callable", "stage": "train", "epoch": 0, "batch": [0, 1, 2, 3], "span": 5}
    )
    assert told(callable_rebuilt.find(spans)) == ["made 4 times in train batches"]
    assert told(callable_rebuilt.find(spans[:1])) == []


def test_slow_callback() -> None:
    train = batches(1, 20)
    begins = train["start_ns"].tolist()

    def find(duration: int, longest: int = 0, **more: Any) -> list[str]:
        times = [duration] * 10 + [max(duration, longest)] + [duration] * 9
        calls = enumerate(zip(begins, times))
        ends = [hook("on_train_batch_end", batch=n, start_ns=at, duration_ns=took, **more) for n, (at, took) in calls]
        return told(slow_callback.find(FIT, train, hooks(ends), NO_INNER))

    (message,) = find(2 * MS)
    assert message.endswith("% of the batches' time, 2 ms a call")
    assert find(MS // 2) == []
    assert find(MS // 10, longest=80 * MS) == []  # the system was busy elsewhere
    assert find(2 * MS, thread="pool-0") == []  # nobody waits for it


@pytest.mark.parametrize(
    ("places", "how_often"),
    [(range(20, 200, 20), "every 20th batch"), ([9, 12, 70, 71, 150, 160, 161], "in 7 of 199 batches")],
)
def test_a_callback_that_is_slow_in_some_batches(places: Sequence[int], how_often: str) -> None:
    train = batches(1, 200)
    train.loc[list(places), "duration_ns"] = 55 * MS
    begins = train["start_ns"].tolist()
    ends = [
        hook("on_train_batch_end", batch=n, start_ns=at, duration_ns=50 * MS if n in places else 1000)
        for n, at in enumerate(begins)
    ]
    (found,) = slow_callback.find(FIT, train, hooks(ends), NO_INNER)
    assert found.message.endswith(f"% of the batches' time, 50 ms {how_often}, 1 µs in the others")
    assert (found.batch, found.hook) == (places[0], "on_train_batch_end")


def test_a_slow_hook_of_epochs() -> None:
    fit = FIT.copy()
    fit["duration_ns"] = 4_000 * MS

    def find(each: int, inner: pd.DataFrame = NO_INNER) -> list[str]:
        ends = [hook("on_epoch_end", "F1", epoch, duration_ns=each * MS, span=100 + epoch) for epoch in range(8)]
        return told(slow_callback.find(fit, batches(8, 4), hooks(ends), inner))

    assert find(300) == ["takes 57 % of the fit, 300 ms an epoch"]
    assert find(60) == []
    predicts = pd.DataFrame(
        {
            "fit": range(1, 9),
            "method": "predict",
            "parent_span": range(100, 108),
            "duration_ns": 290 * MS,
            "batches": 64,
        }
    )
    assert find(300, predicts) == ["takes 57 % of the fit, 300 ms an epoch, in predict of 64 batches"]
