"""The timeline and the single batches of recorded fits, compared with the tables of their traces."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic

from fittrace.report.model.batch_columns import BatchColumns
from fittrace.report.model.batch_details import MOST_SPANS, BatchDetails
from fittrace.report.model.batch_runs import BatchRun, ordinal_of
from fittrace.report.model.timeline import Timeline, batch_sections
from fittrace.tables import TraceTables
from fittrace.views.summary_figures import gather

TRACES = Path(__file__).parents[2] / "traces"
ENGINES = ("keras-3", "tf-keras", "tf-keras-v1", "keras-2.2")


class Sections:
    """The sections of the first fit of a trace, and the tables that they are made of."""

    def __init__(self, trace: TraceTables) -> None:
        self.trace = trace
        self.summary = gather(trace).fits[0]
        self.facts = self.summary.facts
        sections: tuple[Timeline, BatchDetails] = batch_sections(trace, self.summary, None)
        self.timeline, self.details = sections
        self.batches = trace.batches().query("fit == 0").sort_values(["start_ns", "span"]).reset_index()

    def since_start(self, times: Any) -> Any:
        return times.to_numpy() - self.facts["start_ns"]


@pytest.fixture(scope="module", params=ENGINES)
def sections(request: pytest.FixtureRequest) -> Sections:
    return Sections(TraceTables.open(TRACES / f"reference-{request.param}"))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Sections:
    """A fit that is too long for its batches to be given one by one."""
    folder = tmp_path_factory.mktemp("long")
    return Sections(TraceTables.open(synthetic.make(folder, synthetic.Size(20_000, epochs=3, changing=True))[0]))


def test_the_times_of_all_batches_add_up_to_the_fit(sections: Sections) -> None:
    timeline = sections.timeline
    assert timeline.total.mean.sum() + timeline.after_ns == pytest.approx(sections.facts["duration_ns"], rel=1e-4)
    stacked = np.sum([series.mean for series in timeline.phases], axis=0)
    np.testing.assert_allclose(stacked, timeline.total.mean, rtol=1e-3)
    function = next(series for series in timeline.phases if series.name == "function")
    np.testing.assert_allclose(function.mean, sections.batches["function_ns"], rtol=2e-4)
    assert all(series.mean.any() for series in timeline.phases)


def test_runs_name_every_batch(sections: Sections) -> None:
    runs = sections.timeline.runs
    names = [
        (run.stage, run.epoch, run.batch + number * run.step, run.first + number)
        for run in runs
        for number in range(run.count)
    ]
    rows = sections.batches[["stage", "epoch", "batch"]].itertuples()
    assert names == [(row.stage, row.epoch, row.batch, row.Index) for row in rows]
    assert all(ordinal_of(runs, stage, epoch, batch) == ordinal for stage, epoch, batch, ordinal in names)


def test_a_batch_is_found_by_any_number_of_its_step() -> None:
    runs = [BatchRun(0, 3, "train", 0, 0, 4), BatchRun(3, 1, "test", 0, 0, 1), BatchRun(4, 2, "train", 1, 0, 4)]
    assert ordinal_of(runs, "train", 0, 7) == 1
    assert ordinal_of(runs, "train", 1, None) == 4
    assert ordinal_of(runs, "train", None, 8) == 2
    assert ordinal_of(runs, "train", 1, 8) is None
    assert ordinal_of(runs, "predict", 0, 0) is None


def test_hooks_have_all_of_their_time(sections: Sections) -> None:
    hooks = sections.trace.hooks().query("fit == 0")
    assert len(sections.timeline.hooks) == len(sections.summary.hooks) > 3
    for series in sections.timeline.hooks:
        rows = hooks[(hooks["callback"] == series.callback) & (hooks["position"] == series.position)]
        total = rows[rows["hook"] == series.hook]["duration_ns"].sum()
        assert series.times.mean.sum() + series.after_ns == pytest.approx(total, rel=1e-3)


def test_logs_are_those_of_the_batches_and_of_the_epochs(sections: Sections) -> None:
    timeline, batches = sections.timeline, sections.batches
    loss = next(series for series in timeline.logs if series.key == "loss")
    expected = batches["logs.loss"].where(batches["stage"] == "train")
    np.testing.assert_allclose(loss.values.mean, expected.astype(float), rtol=1e-6)
    assert timeline.logs[0].key == "loss"
    logs = sections.trace.logs().query("fit == 0 and hook == 'on_epoch_end'")
    assert timeline.epochs.epoch == sorted(set(logs["epoch"]))
    for key, values in zip(timeline.epochs.keys, timeline.epochs.values, strict=True):
        np.testing.assert_allclose(values, logs[logs["key"] == key]["value"].astype(float), rtol=1e-6)
    for epoch, ordinal in zip(timeline.epochs.epoch, timeline.epochs.ordinal, strict=True):
        assert ordinal == batches[batches["epoch"] == epoch].index.max()


def test_marks_tell_where_the_fit_was_stopped_and_saved(sections: Sections) -> None:
    marks = sections.timeline.marks
    stops = [mark for mark in marks if mark.kind == "stop"]
    assert [(mark.ordinal, mark.label) for mark in stops] == [
        (len(sections.batches) - 1, "stop_training = True, EarlyStopping.on_epoch_end")
    ]
    assert {mark.label.split(" ")[0] for mark in marks if mark.kind == "checkpoint"} == {"ModelCheckpoint.on_epoch_end"}
    first_test = int((sections.batches["stage"] == "test").argmax())
    assert [mark.ordinal for mark in marks if mark.kind == "first"] == [0, first_test]
    assert not [mark for mark in marks if mark.kind == "error"]


def test_details_have_all_spans_with_their_logs(sections: Sections) -> None:
    details, trace = sections.details, sections.trace
    spans = trace.spans().query("fit == 0").set_index("span")
    assert details.limits == []
    assert sorted(details.span) == sorted(spans.index)
    rows = spans.loc[details.span.astype(int)]
    assert [details.names[name] for name in details.name] == list(rows["name"])
    assert [details.phases[phase] for phase in details.phase] == list(rows["phase"])
    assert details.start.tolist() == sections.since_start(rows["start_ns"]).tolist()
    assert details.duration.tolist() == rows["duration_ns"].tolist()
    parents = [-1 if parent < 0 else details.span[parent] for parent in details.parent]
    assert parents == rows["parent"].fillna(-1).tolist()
    hooks = trace.hooks().query("fit == 0").set_index("span")
    for index in np.flatnonzero(details.hook >= 0).tolist():
        row = hooks.loc[int(details.span[index])]
        assert_same_logs(details.logs[details.before[index]], row["logs_before"])
        assert_same_logs(details.logs[details.after[index]], row["logs_after"])


def assert_same_logs(logs: tuple[tuple[str, Any], ...], expected: dict[str, Any]) -> None:
    assert dict(logs) == pytest.approx(expected, nan_ok=True)


def test_spans_are_in_their_batch_or_before_it(sections: Sections) -> None:
    details, batches = sections.details, sections.batches
    starts = sections.since_start(batches["start_ns"])
    ends = starts + batches["duration_ns"].to_numpy()
    for start, ordinal, inside in zip(details.start, details.ordinal, details.inside, strict=True):
        around = np.flatnonzero((starts <= start) & (start < ends))
        assert bool(inside) == bool(len(around))
        assert ordinal == (around[-1] if len(around) else np.count_nonzero(starts <= start))


def test_a_long_fit_shows_its_interesting_batches_in_full(long: Sections) -> None:
    timeline, details = long.timeline, long.details
    assert timeline.every == 16
    assert (timeline.windows[0][0], timeline.windows[-1][1]) == (0, 19_999)
    slowest = int(long.batches["duration_ns"][1:].idxmax())
    for windows in (timeline.windows, details.windows):
        assert any(first <= slowest <= last for first, last in windows)
    assert 20_000 < len(details.span) <= 1.5 * MOST_SPANS
    assert len(details.limits) == 1
    mean = timeline.total.mean
    assert mean.sum() * timeline.every + timeline.after_ns == pytest.approx(long.facts["duration_ns"], rel=1e-3)


def test_a_batch_of_a_long_fit_has_all_of_its_spans(long: Sections) -> None:
    details = long.details
    spans = long.trace.spans().query("fit == 0")
    starts = long.since_start(long.batches["start_ns"])
    for first, last in details.windows[1:]:
        begin, end = starts[first - 1] + long.batches["duration_ns"][first - 1], starts[last]
        times = long.since_start(spans["start_ns"])
        expected = spans[(times >= begin) & (times < end)]["span"]
        shown = details.span[(details.start >= begin) & (details.start < end)]
        assert sorted(shown) == sorted(expected)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_values_that_are_not_finite_are_told_apart(
    broken: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.array([1, broken, math.nan, broken, 2, broken])
    is_there = np.array([True, True, False, True, True, True])
    monkeypatch.setattr(BatchColumns, "numbers", lambda self, column: (values, is_there))
    loss = Sections(TraceTables.open(synthetic.make(tmp_path, synthetic.Size(6, epochs=1, keys=1))[0])).timeline.logs[0]
    np.testing.assert_array_equal(loss.values.mean, [1, np.nan, np.nan, np.nan, 2, np.nan])
    assert [(stretch.first, stretch.until) for stretch in loss.not_finite] == [(1, 3), (5, 5)]
    assert str(loss.not_finite[0].value) == str(broken)
