"""Rules on time: each finds what it is for, and nothing in what is nearly so."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fittrace.analysis.rules.hooks import slow_callback
from fittrace.analysis.rules.timing import (
    callable_rebuilt,
    data_wait,
    first_batch,
    function_peaks,
    growing_batches,
    stalls,
)

from .rows import FIT, MS, batches, hook, hooks, told


def test_data_wait() -> None:
    assert told(data_wait.find(batches())) == []
    waiting = batches(slice_ns=np.full(150, 3 * MS))
    assert told(data_wait.find(waiting))[0].startswith("fetching data takes 60 % of the batches' time, 3.00 ms each")
    # An iterator that takes its time to begin is no waiting.
    beginning = batches()
    beginning.loc[beginning["batch"] == 0, ["slice_ns", "duration_ns"]] = 5_000 * MS
    assert told(data_wait.find(beginning)) == []


def test_first_batch() -> None:
    slow = batches()
    slow.loc[0, "duration_ns"] = 2_005 * MS
    assert told(first_batch.find(FIT, slow)) == []
    short = FIT.copy()
    short["duration_ns"] = 3_000 * MS
    assert told(first_batch.find(short, slow)) == ["costs 2.00 s above the others, 67 % of the fit"]


def test_function_peaks() -> None:
    assert told(function_peaks.find(FIT, batches())) == []
    peaks = batches()
    peaks.loc[[5, 17, 60, 61, 95], "function_ns"] = 300 * MS
    assert told(function_peaks.find(FIT, peaks)) == ["5 batches took 10 times the median in function, 1.50 s in all"]
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
    assert told(stalls.find(batches())) == []
    stalling = batches(epochs=1, each=150)
    stalling.loc[7::20, "slice_ns"] = 40 * MS
    assert told(stalls.find(stalling)) == ["slice takes 10 times its median every 20 batches, 8 times"]
    irregular = batches(epochs=1, each=150)
    irregular.loc[[7, 9, 30, 80, 81, 140], "slice_ns"] = 40 * MS
    assert told(stalls.find(irregular)) == []
    every_epoch = batches(epochs=6, each=25)
    every_epoch.loc[every_epoch["batch"] == 0, "slice_ns"] = 40 * MS
    assert told(stalls.find(every_epoch)) == []


def test_callable_rebuilt() -> None:
    spans = pd.DataFrame(
        {"name": "Function._make_callable", "stage": "train", "epoch": 0, "batch": [0, 1, 2, 3], "span": 5}
    )
    assert told(callable_rebuilt.find(spans)) == ["made 4 times in train batches"]
    assert told(callable_rebuilt.find(spans[:1])) == []


def test_slow_callback() -> None:
    train = batches(1, 20)
    begins = train["start_ns"].tolist()

    def find(duration: int, longest: int = 0) -> list[str]:
        times = [duration] * 10 + [max(duration, longest)] + [duration] * 9
        calls = enumerate(zip(begins, times))
        ends = [hook("on_train_batch_end", batch=n, start_ns=at, duration_ns=took) for n, (at, took) in calls]
        return told(slow_callback.find(train, hooks(ends)))

    (message,) = find(2 * MS)
    assert message.endswith("% of the batches' time, 2.00 ms a call")
    assert find(MS // 2) == []
    assert find(MS // 10, longest=80 * MS) == []  # the system was busy elsewhere
