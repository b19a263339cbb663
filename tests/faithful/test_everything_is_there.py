"""A trace holds every hook with its logs, every batch, every phase, and all the time."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pandas as pd
import pytest
from named_rows import named_rows

from .conftest import EVERYWHERE, NEWEST_ALONE
from .processes import Pair

# Those whose callbacks write down their hooks one after another.
WITNESSED = [name for name in EVERYWHERE if name not in ("asynchronous", "looked_at")]
WITNESSED_NEWEST = [name for name in NEWEST_ALONE if name not in ("no_callbacks", "two_threads")]
everywhere = pytest.mark.parametrize("scenario", WITNESSED)
newest_alone = pytest.mark.parametrize("scenario", WITNESSED_NEWEST)


def hooks_of(pair: Pair, scenario: str) -> pd.DataFrame:
    """All hooks of a scenario in order of time."""
    hooks = pd.concat([pair.of("hooks", fit) for fit in pair.calls(scenario)])
    in_order: pd.DataFrame = hooks.sort_values(["start_ns", "span"], kind="stable")
    return in_order


def told(row: Any) -> tuple[str, str, int | None, str]:
    number = row.epoch if "epoch" in row.hook else row.batch if "batch" in row.hook else None
    return row.callback, row.hook, number, row.thread


def check_witnesses(pair: Pair, scenario: str) -> None:
    seen = pair.traced.seen["scenarios"][scenario]["hooks"]
    hooks = hooks_of(pair, scenario)
    mine = hooks[hooks.callback.isin({entry["callback"] for entry in seen})]
    keys = ("callback", "hook", "number", "thread")
    assert [told(row) for row in named_rows(mine)] == [tuple(entry[key] for key in keys) for entry in seen]


@everywhere
def test_hooks_are_those_that_the_callbacks_saw(pair: Pair, scenario: str) -> None:
    check_witnesses(pair, scenario)


@newest_alone
def test_hooks_of_other_fits_are_those_that_the_callbacks_saw(newest: Pair, scenario: str) -> None:
    check_witnesses(newest, scenario)


@pytest.mark.parametrize("scenario", ["changing_logs", "alone"])
def test_hooks_are_those_that_a_profiler_saw(pair: Pair, scenario: str) -> None:
    """Also those of `History` and `ProgbarLogger`, and those that nobody overrides."""
    oracle = pair.plain.seen["scenarios"][scenario]["oracle"]
    hooks = hooks_of(pair, scenario)
    assert "ProgbarLogger" in {callback for callback, _, _ in oracle}
    assert [[row.callback, row.hook, row.thread] for row in named_rows(hooks)] == oracle


def test_hooks_on_a_thread_pool_are_those_that_a_profiler_saw(pair: Pair) -> None:
    oracle = pair.plain.seen["scenarios"]["asynchronous"]["oracle"]
    hooks = hooks_of(pair, "asynchronous")
    assert Counter((row.callback, row.hook, "Pool" in row.thread) for row in named_rows(hooks)) == Counter(
        (callback, hook, "Pool" in thread) for callback, hook, thread in oracle
    )


def test_hooks_on_a_thread_pool_know_their_epoch_and_stage(pair: Pair) -> None:
    hooks = hooks_of(pair, "asynchronous")
    ends = hooks[(hooks.hook == "on_train_batch_end") & (hooks.callback == "History")]
    assert Counter(zip(ends.epoch, ends.batch, strict=True)) == Counter((e, b) for e in range(2) for b in range(9))
    assert set(ends.stage) == {"train"}
    assert set(hooks[hooks.hook == "on_test_batch_end"].stage) == {"test"}


def test_positions_are_those_in_the_callback_list(pair: Pair) -> None:
    hooks = hooks_of(pair, "changing_logs")
    places = set(zip(hooks.position, hooks.callback, strict=True))
    names = ("First", "Changer", "Last", "EarlyStopping", "History", "ProgbarLogger")
    assert places == set(enumerate(names))


@pytest.mark.parametrize("scenario", ["changing_logs", "alone", "nested", "several_steps"])
def test_logs_before_and_after_are_those_that_the_callbacks_saw(pair: Pair, scenario: str) -> None:
    seen = pair.traced.seen["scenarios"][scenario]["hooks"]
    hooks = hooks_of(pair, scenario)
    mine = hooks[hooks.callback.isin({entry["callback"] for entry in seen})]
    for row, entry in zip(named_rows(mine), seen, strict=True):
        if entry["hook"] != "on_predict_batch_end":  # its logs hold the batch's predictions
            assert (row.logs_before, row.logs_after) == (entry["before"] or {}, entry["after"] or {}), entry


def test_changed_names_what_a_callback_changed(pair: Pair) -> None:
    hooks = hooks_of(pair, "changing_logs")
    changed = {(row.callback, row.hook): set(row.changed) for row in named_rows(hooks) if len(row.changed)}
    assert changed == {
        ("Changer", "on_train_batch_end"): {"extra"},
        ("Changer", "on_epoch_end"): {"rate", "loss", "mae"},
    }


def test_logs_at_the_end_of_an_epoch_are_the_history(pair: Pair) -> None:
    (history,) = pair.traced.seen["scenarios"]["changing_logs"]["history"]
    hooks = hooks_of(pair, "changing_logs")
    ends = hooks[(hooks.hook == "on_epoch_end") & (hooks.callback == "ProgbarLogger")]
    logs = [{key: values[epoch] for key, values in history["logs"].items()} for epoch in (0, 1)]
    assert "mae" not in logs[0] and "val_mae" in logs[0]
    assert list(ends.logs_after) == logs


def test_logs_of_batches_are_those_that_the_last_callback_saw(pair: Pair) -> None:
    seen = pair.traced.seen["scenarios"]["changing_logs"]["hooks"]
    ends = [one["after"] for one in seen if (one["callback"], one["hook"]) == ("Last", "on_train_batch_end")]
    batches = pair.of("batches", *pair.calls("changing_logs"))
    batches = batches[batches.stage == "train"]
    for key in ("loss", "mae", "extra"):
        assert list(batches["logs." + key]) == [logs[key] for logs in ends]


def test_logs_of_batches_that_end_on_a_thread_pool_are_there(pair: Pair) -> None:
    batches = pair.of("batches", *pair.calls("asynchronous"))
    assert not batches["logs.loss"].isna().any()


def test_all_time_of_a_fit_is_some_spans_own(pair: Pair) -> None:
    own = pair.trace.spans().groupby("fit").self_ns.sum()
    assert dict(own) == dict(zip(pair.fits.fit, pair.fits.duration_ns, strict=True))


def test_no_span_takes_less_than_no_time(pair: Pair) -> None:
    spans = pair.trace.spans()
    assert (spans.duration_ns >= 0).all() and (spans.self_ns >= 0).all()


def test_spans_lie_within_their_parents(pair: Pair) -> None:
    spans = pair.trace.spans().set_index("span")
    inner = spans[spans.parent.notna()]
    outer = spans.loc[inner.parent.astype("int64")]
    assert (inner.start_ns.to_numpy() >= outer.start_ns.to_numpy()).all()
    ends = (inner.start_ns + inner.duration_ns).to_numpy()
    assert (ends <= (outer.start_ns + outer.duration_ns).to_numpy()).all()


SIZES = {
    "changing_logs": {("train", epoch): [16, 16, 16, 16, 6] for epoch in (0, 1)}
    | {("test", epoch): [16, 4] for epoch in (0, 1)},
    "stopping": {("train", 0): [10, 10, 10]},
    "asynchronous": {("train", epoch): [8] * 8 + [6] for epoch in (0, 1)}
    | {("test", epoch): [8, 8, 4] for epoch in (0, 1)},
}
SIZES_NEWEST = {
    "no_callbacks": {("train", epoch): [20, 20, 9] for epoch in (0, 1)}
    | {("test", epoch): [20, 1] for epoch in (0, 1)},
    "several_steps": {("train", 0): [20, 20, 20], ("test", 0): [20, 20]},
    "uneven_steps": {("train", 0): [36, 36, 8], ("test", 0): [20]},
    "steps_per_epoch": {("train", epoch): [7] * 4 for epoch in (0, 1)},
    "dataset": {("train", epoch): [None] * 3 for epoch in (0, 1)},
    "generator": {("train", epoch): [None] * 3 for epoch in (0, 1)},
    "eagerly": {("train", 0): [32, 32, 6]},
    "sometimes_validating": {("train", epoch): [32, 32, 6] for epoch in (1, 2, 3)}
    | {("test", epoch): [10] for epoch in (1, 3)},
    "no_epochs": {},
}


def sizes(pair: Pair, scenario: str) -> dict[tuple[str, int], list[int | None]]:
    found: dict[tuple[str, int], list[int | None]] = {}
    for row in named_rows(pair.of("batches", *pair.calls(scenario))):
        found.setdefault((row.stage, row.epoch), []).append(None if pd.isna(row.size) else row.size)
    return found


@pytest.mark.parametrize("scenario", SIZES)
def test_batches_are_there_with_their_sizes(pair: Pair, scenario: str) -> None:
    assert sizes(pair, scenario) == SIZES[scenario]


@pytest.mark.parametrize("scenario", SIZES_NEWEST)
def test_batches_of_other_fits_are_there_with_their_sizes(newest: Pair, scenario: str) -> None:
    assert sizes(newest, scenario) == SIZES_NEWEST[scenario]


def test_a_batch_may_cover_several_steps(pair: Pair) -> None:
    """Keras up to 3.10 tells the first of them alone; how many samples that makes is then left open."""
    batches = pair.of("batches", *pair.calls("several_steps"))
    train = batches[batches.stage == "train"]
    covered = [tuple(row) for row in train[["batch", "last_batch", "size"]].astype(object).to_numpy()]
    if pair.traced.seen["keras"] in ("3.13.2", "3.15.1"):
        assert covered == [(0, 1, 20), (2, 3, 20), (4, 5, 20)]
    else:
        assert covered == [(0, 0, pd.NA), (2, 2, pd.NA), (4, 4, pd.NA)]


def test_a_batch_covers_the_steps_that_keras_counts(newest: Pair) -> None:
    """Which calls the last ones 8 to 11 though the data ends with 8."""
    batches = newest.of("batches", *newest.calls("uneven_steps"))
    train = batches[batches.stage == "train"]
    assert list(zip(train.batch, train.last_batch, strict=True)) == [(0, 3), (4, 7), (8, 11)]


def test_the_phases_of_a_batch_are_within_it(pair: Pair) -> None:
    batches = pair.trace.batches()
    phases = sum(batches[phase + "_ns"] for phase in ("slice", "to_dense", "function", "logs", "hooks"))
    assert (phases <= batches.duration_ns).all()
    assert (batches[batches.stage == "train"].function_ns > 0).all()


def test_every_phase_of_the_engine_is_there(pair: Pair) -> None:
    spans = pair.of("spans", *pair.calls("changing_logs"))
    assert set(spans.phase) == {
        "fit", "prepare", "configure_callbacks", "epoch", "make_batches", "batch", "slice", "function", "logs",
        "hooks", "validation", "evaluate", "stop",
    }  # fmt: skip


def test_every_phase_of_evaluate_and_predict_is_there(pair: Pair) -> None:
    evaluate, predict = (set(pair.of("spans", fit).phase) for fit in pair.calls("alone"))
    common = {"prepare", "configure_callbacks", "batch", "slice", "function", "hooks", "stop"}
    assert evaluate >= common | {"evaluate", "logs"}
    assert predict >= common | {"predict"}


def test_fits_are_the_calls_of_the_program(pair: Pair) -> None:
    assert list(pair.fits.method) == [call["method"] for call in pair.traced.seen["calls"]]
    assert set(pair.fits.engine) == {"keras-3"}
    assert set(pair.fits.engine_version) == {pair.traced.seen["keras"]}


def test_fits_tell_how_many_epochs_and_batches_they_had(newest: Pair) -> None:
    counts = {
        scenario: tuple(newest.fits[newest.fits.fit == newest.calls(scenario)[0]][["epochs", "batches"]].iloc[0])
        for scenario in ("changing_logs", "stopping", "sometimes_validating", "no_epochs", "several_steps")
    }
    assert counts == {
        "changing_logs": (2, 10),
        "stopping": (1, 3),
        "sometimes_validating": (3, 9),
        "no_epochs": (0, 0),
        "several_steps": (1, 3),
    }


def test_a_fit_in_a_callback_is_a_fit_of_its_own_with_a_parent(pair: Pair) -> None:
    outer, *inner = pair.calls("nested")
    fits = pair.fits.set_index("fit")
    assert pd.isna(fits.parent_fit[outer])
    assert [(fits.method[fit], fits.parent_fit[fit]) for fit in inner] == [
        (method, outer) for _ in range(2) for method in ("fit", "evaluate", "predict")
    ]
    spans = pair.trace.spans().set_index("span")
    parents = [spans.loc[fits.parent_span[fit]] for fit in inner]
    assert {parent["name"] for parent in parents} == {"Outer.on_epoch_end"}


def test_fits_on_two_threads_are_two_fits(newest: Pair) -> None:
    fits = newest.fits.set_index("fit").loc[newest.calls("two_threads")]
    assert set(fits.thread) == {"trainer-0", "trainer-1"}
    first, second = (fits[fits.thread == name].iloc[0] for name in ("trainer-0", "trainer-1"))
    assert first.start_ns < second.start_ns + second.duration_ns
    assert second.start_ns < first.start_ns + first.duration_ns
    for fit in fits.index:
        hooks = newest.of("hooks", fit)
        seen = newest.traced.seen["scenarios"]["two_threads"][fits.thread[fit]]["hooks"]
        mine = hooks[hooks.callback == "Threaded"]
        assert [told(row)[1:] for row in named_rows(mine)] == [
            (entry["hook"], entry["number"], entry["thread"]) for entry in seen
        ]


def test_a_fit_that_an_exception_left_says_so(pair: Pair) -> None:
    fits = pair.fits.set_index("fit").loc[pair.calls("raising")]
    assert list(fits.status) == ["error"] * 3
    assert list(fits.error) == ["ValueError: 'no more', 3"] * 3


def test_the_hook_that_raised_says_so(pair: Pair) -> None:
    hooks = hooks_of(pair, "raising")
    assert list(hooks[hooks.status == "error"].hook) == ["on_train_batch_end", "on_train_batch_end", "on_test_begin"]


def test_other_fits_are_ok(pair: Pair) -> None:
    failed = set(pair.fits[pair.fits.status != "ok"].fit)
    assert failed == set(pair.calls("raising"))


def test_hostile_values_are_told_without_asking_them(pair: Pair) -> None:
    hooks = hooks_of(pair, "hostile")
    row = next(row for row in named_rows(hooks) if (row.callback, row.hook) == ("Spoiler", "on_train_batch_end"))
    logs = dict(row.logs_after)
    assert math.isnan(logs.pop("nan"))
    assert {key: logs[key] for key in logs if key not in ("loss", "mae")} == {
        "hostile": "<Hostile>",
        "nested": "{'a': {'b': [1, 2.5, <Hostile>]}}",
        "inf": -math.inf,
        "huge": "<int of 1329 bits>",
        "array": "<numpy.ndarray float64 (2, 3)>",
        "scalar": 1.5,
        "complex": "<complex>",
        "tensor": "<EagerTensor float32>",
        "variable": "<ResourceVariable>",
        "none": "None",
        "text": "half a pair: \\ud800",
        "bytes": repr(b"\xff" * 16),
        "half a key: \\udc80": 1.0,
        "dict": "<Dict>",
        "(a key of type tuple)": 1.0,
        "(a key of type int)": 2.0,
    }
    assert set(row.changed) == set(row.logs_after) - {"loss", "mae"}


def test_hostile_callbacks_have_their_hooks(pair: Pair) -> None:
    hooks = hooks_of(pair, "hostile")
    counts = Counter(zip(hooks.callback, hooks.hook, strict=True))
    for callback in ("Spoiler", "After", "History"):
        assert counts[callback, "on_train_batch_begin"] == counts[callback, "on_train_batch_end"] == 4
        assert counts[callback, "on_epoch_end"] == 2


def test_nothing_is_wrong_with_the_trace(pair: Pair) -> None:
    notes = pair.trace.notes()
    # Of two fits at once only one can have TensorFlow's profiler, and which is chance.
    assert set(notes.message) <= {"no ops of batches that ran while a batch of another fit was sampled"}
    processes = pair.trace.processes()
    assert list(processes.ending) == ["closed"]
    assert processes[["dropped_detail", "dropped_batches", "damaged_bytes"]].to_numpy().sum() == 0
