"""Rules on tables written by hand: each finds what it is for, and nothing in what is nearly so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fittrace.analysis.rules import Finding, apply, rule
from fittrace.analysis.rules.batch_loop import mean_of_means, metrics_reset
from fittrace.analysis.rules.hooks import batch_index, hook_on_another_thread, hook_out_of_order, slow_callback
from fittrace.analysis.rules.keys import key_missing, key_unseen, monitor_missing, values_differ
from fittrace.analysis.rules.loading import load
from fittrace.analysis.rules.logs import (
    last_batch_for_all,
    logs_altered,
    means_taken_for_own_values,
    not_finite,
)
from fittrace.analysis.rules.stopping import stop_ignored, stop_overwritten, validation_skipped
from fittrace.analysis.rules.timing import (
    callable_rebuilt,
    data_wait,
    first_batch,
    function_peaks,
    growing_batches,
    stalls,
)
from fittrace.cli import main
from fittrace.schema.errors import FittraceError
from fittrace.tables import Trace

MS = 1_000_000
FIT = pd.Series(
    {"fit": 0, "span": 0, "thread": "MainThread", "engine": "keras-3", "status": "ok", "duration_ns": 60_000 * MS}
)
PROCESS = pd.Series({"dropped_batches": 0, "damaged_bytes": 0})
LOSSY = pd.Series({"dropped_batches": 3, "damaged_bytes": 0})
RNG = np.random.default_rng(4)


def batches(epochs: int = 3, each: int = 50, **columns: Sequence[float]) -> pd.DataFrame:
    """Training batches of 5 ms, of which `function` takes 4; `columns` replace theirs."""
    count = epochs * each
    table = pd.DataFrame(
        {
            "stage": "train",
            "epoch": np.repeat(np.arange(epochs), each),
            "batch": np.tile(np.arange(each), epochs),
            "last_batch": np.tile(np.arange(each), epochs),
            "span": np.arange(count) * 10,
            "start_ns": np.arange(count) * 6 * MS,
            "duration_ns": (5 * MS * RNG.uniform(0.9, 1.1, count)).astype(int),
            "slice_ns": 10_000,
            "function_ns": (4 * MS * RNG.uniform(0.9, 1.1, count)).astype(int),
            "hooks_ns": 100_000,
            "status": "ok",
        }
    )
    return table.assign(**columns)


def hook(name: str, callback: str = "Mine", epoch: int | None = 0, batch: int | None = None, **more: object) -> dict:
    row = {"hook": name, "callback": callback, "position": 0, "epoch": epoch, "batch": batch, "stage": "train"}
    row |= {"thread": "MainThread", "start_ns": 0, "duration_ns": 1000, "span": 7, "parent": 6}
    row |= {"logs_before": {}, "logs_after": {}, "changed": []}
    return row | more


def hooks(rows: Iterable[dict]) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).astype({"epoch": "Int64", "batch": "Int64"})


def told(findings: Iterable[Finding]) -> list[str]:
    return [finding.message for finding in findings]


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
    slow.loc[0, "duration_ns"] = 2_000 * MS
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


def test_logs_altered() -> None:
    before, after = {"loss": 1.0, "acc": 0.5}, {"loss": 2.0, "mine": 1.0}
    rows = [hook("on_epoch_end", changed=["loss", "acc", "mine"], logs_before=before, logs_after=after)]
    assert told(logs_altered.find(hooks(rows))) == ["makes loss 2, which was 1", "makes acc nothing, which was 0.5"]
    rows[0]["callback"] = "BaseLogger"
    assert told(logs_altered.find(hooks(rows))) == []
    texts = [hook("on_epoch_end", changed=["loss"], logs_before={"loss": "<tensor>"}, logs_after={"loss": 1.0})]
    assert told(logs_altered.find(hooks(texts))) == ["makes loss 1, which was <tensor>"]


def test_key_missing() -> None:
    ends = [
        hook("on_epoch_end", epoch=0, logs_after={"loss": 1.0, "mine": 1.0, "val_loss": 1.0}),
        hook("on_epoch_end", epoch=1, logs_after={"loss": 1.0}),
    ]
    assert told(key_missing.find(PROCESS, hooks(ends))) == ["mine is missing, which all epochs before had"]
    assert told(key_missing.find(LOSSY, hooks(ends))) == []


def test_not_finite() -> None:
    rows = [
        hook("on_train_batch_end", batch=0, logs_before={"loss": 1.0, "note": "nan"}),
        hook("on_train_batch_end", "History", batch=1, logs_before={"loss": float("inf")}),
        hook("on_train_batch_end", batch=2, logs_before={"loss": float("nan")}),
    ]
    (found,) = not_finite.find(hooks(rows), lambda stage, epoch, batch: None)
    assert (found.message, found.batch, found.callback) == ("loss is inf; the first to see it", 1, "History")
    (found,) = not_finite.find(hooks(rows), lambda stage, epoch, batch: np.arange(9)[::-1] + batch)
    assert found.message.endswith("; samples 9, 8, 7, 6, 5, 4, 3, 2, ... (9 in all)")
    assert told(not_finite.find(hooks(rows[:1]), lambda stage, epoch, batch: None)) == []


def logged(callback: str, losses: Sequence[float], epoch_end: float, **more: object) -> pd.DataFrame:
    rows = [
        hook("on_train_batch_end", callback, 0, batch, logs_before={"loss": loss}, logs_after={"loss": loss}, **more)
        for batch, loss in enumerate(losses)
    ]
    return hooks([*rows, hook("on_epoch_end", callback, logs_before={"loss": epoch_end})])


def test_running_means() -> None:
    find = means_taken_for_own_values.find
    why = "is called as if it collected each batch's loss, but loss is the mean since the epoch began"
    assert told(find(logged("LearningRateFinder", [3.0, 2.0, 1.5], 1.5))) == [why]
    assert told(find(logged("LearningRateFinder", [3.0, 2.0, 1.5], 2.2))) == []  # each batch's own
    assert told(find(logged("LearningRateFinder", [2.0, 2.0, 2.0], 2.0))) == []  # nothing can be told
    assert told(find(logged("WorstBatch", [3.0, 2.0, 1.5], 1.5))) == []
    copying = logged("Mine", [3.0, 2.0, 1.5], 1.5, changed=["batch_loss"])
    copying["logs_after"] = [logs | {"batch_loss": logs.get("loss")} for logs in copying["logs_after"]]
    assert told(find(copying)) == ["copies loss as batch_loss, but loss is the mean since the epoch began"]


def test_metrics_reset() -> None:
    inner = pd.DataFrame({"method": ["evaluate"], "parent_span": [8], "span": [80]})
    evaluating = logged("Mine", [3.0, 2.0, 1.5], 1.5)
    evaluating.loc[1, "span"] = 8
    assert told(metrics_reset.find(inner, evaluating)) == ["calls evaluate inside the epoch; calls in all: 1"]
    at_the_end = evaluating.assign(span=[1, 2, 3, 8])
    assert told(metrics_reset.find(inner, at_the_end)) == []
    assert told(metrics_reset.find(inner[:0], evaluating)) == []


NO_VALUES = pd.DataFrame({"span": [], "key": [], "value": [], "text": []})


def value(key: str, value: float | None = None, text: str | None = None, span: int = 0) -> dict:
    return {"span": span, "key": key, "value": value, "text": text}


def stop(value: str, callback: str | None = "Mine", hook: str = "on_epoch_end", **more: object) -> dict:
    row = {"fit": 0, "stage": "train", "epoch": 0, "batch": None, "value": value, "callback": callback, "hook": hook}
    return row | {"span": 5, "start_ns": 0, "thread": "MainThread"} | more


def stops(*rows: dict) -> pd.DataFrame:
    columns = list(stop("True"))
    return pd.DataFrame(list(rows), columns=columns).astype({"epoch": "Int64", "batch": "Int64"})


def test_validation_skipped() -> None:
    validating = batches(3, 4)
    tests = batches(3, 2).assign(stage="test")
    short = validating[~((validating["epoch"] == 2) & (validating["batch"] > 1))]
    unvalidated = tests[tests["epoch"] < 2]
    mine = stops(stop("True", hook="on_batch_end", epoch=2, batch=1))

    def find(
        train: pd.DataFrame, test: pd.DataFrame, who: pd.DataFrame = mine, given: pd.DataFrame = NO_VALUES
    ) -> list[Finding]:
        return list(validation_skipped.find(FIT, PROCESS, pd.concat([train, test]), who, given))

    (found,) = find(short, unvalidated)
    assert found.message == "sets stop_training: the epoch ends after batch 1 without its validation"
    assert (found.callback, found.hook, found.epoch, found.batch) == ("Mine", "on_batch_end", 2, 1)
    assert find(short, unvalidated, stops(stop("False", epoch=2, batch=1))) == []
    assert find(short, unvalidated, stops(stop("True", epoch=2))) == []  # at the epoch's end, whatever it skips
    assert find(validating, unvalidated) == []  # a whole epoch: validation_freq
    assert find(short, tests) == []
    assert find(short, tests[tests["epoch"] == 1]) == []
    elsewhere = stops(stop("True", None, epoch=2, batch=1))
    assert told(find(short, unvalidated, elsewhere))[0].startswith("stop_training was set outside of hooks: ")

    only = short[short["epoch"] == 2]
    assert find(only, tests[:0]) == []
    asked = pd.DataFrame([value("validation_data", text="(x, y)"), value("validation_split", 0.0)])
    assert len(find(only, tests[:0], given=asked)) == 1
    rarely = pd.DataFrame([value("validation_split", 0.2), value("validation_freq", 5.0)])
    assert find(only, tests[:0], given=rarely) == []


def test_stop_overwritten_and_ignored() -> None:
    train = batches(3, 10)
    end = int(train["start_ns"][9]) + 1

    def find(*rows: dict) -> list[str]:
        found = [*stop_overwritten.find(FIT, train, stops(*rows)), *stop_ignored.find(FIT, train, stops(*rows))]
        return told(found)

    set_, back = stop("True", start_ns=end), stop("False", "Other", start_ns=end + 1)
    assert find(set_, back) == ["sets stop_training, Other.on_epoch_end sets it back, and 20 batches follow"]
    engine = back | {"callback": None, "hook": "on_epoch_begin"}
    assert find(set_, engine)[0].startswith("sets stop_training, the engine before on_epoch_begin sets it back")
    inner = back | {"fit": 1, "callback": None}
    assert find(set_, inner)[0].startswith(
        "sets stop_training, an evaluate, predict or fit in a later hook sets it back"
    )
    # A model of its own that is trained in a hook is stopped and begun again.
    assert find(stop("True", fit=1), stop("False", fit=1, start_ns=end)) == []
    assert find(stop("True", fit=1), set_, inner)[0] == "sets stop_training, and 20 batches follow"
    assert find(set_) == ["sets stop_training, and 20 batches follow"]
    assert find(set_ | {"thread": "pool-0"}) == []
    late = int(train["start_ns"].iloc[-1])
    assert find(stop("True", start_ns=late + 1), stop("False", start_ns=late + 2)) == []
    assert find(stop("True", start_ns=late - 1)) == []  # the batch under way is done
    assert find(stop("False")) == []  # an engine begins so


def test_monitor_missing() -> None:
    logs = {"loss": 1.0, "val_accuracy": 0.5}
    rows = [
        hook("on_train_begin", "EarlyStopping", parent=3, position=1),
        hook("on_epoch_end", "EarlyStopping", logs_before=logs, logs_after=logs, position=1, parent=9),
    ]

    def find(*given: dict, more: Sequence[dict] = ()) -> list[str]:
        return told(monitor_missing.find(PROCESS, hooks([*rows, *more]), pd.DataFrame(list(given))))

    missing = value("callbacks[1].monitor", text="val_acc", span=3)
    assert find(missing) == ["monitors val_acc, which is in none of its logs; did you mean val_accuracy?"]
    assert find(value("callbacks[1].monitor", text="loss", span=3)) == []
    alone = {"loss": 1.0}
    unvalidated = [hook("on_epoch_end", "EarlyStopping", logs_before=alone, logs_after=alone, position=1, parent=9)]
    found = monitor_missing.find(PROCESS, hooks([rows[0], *unvalidated]), pd.DataFrame([missing]))
    assert told(found) == ["monitors val_acc, which is in none of its logs: nothing was validated"]
    assert find(missing, value("callbacks[1].save_best_only", 0.0, span=3)) == []
    assert len(find(missing, value("callbacks[1].save_best_only", 1.0, span=3))) == 1
    adding = hook("on_epoch_end", changed=["val_acc"], parent=9)
    assert find(missing, more=[adding]) == ["monitors val_acc, which Mine adds only after it"]
    assert find(missing, more=[adding | {"parent": 20}]) == ["monitors val_acc, which Mine adds to logs of its own"]
    assert find(value("callbacks[0].monitor", text="val_acc", span=2)) == []  # of another list


def test_key_unseen_and_values_differ() -> None:
    spans = pd.DataFrame({"span": [4, 7], "parent": [1, 5], "phase": "hooks", "callback": None})

    def find(inner: dict, outer: dict, **more: object) -> list[list[str]]:
        rows = [
            hook("on_epoch_end", "Group", span=5, parent=4, logs_before=outer, logs_after=outer),
            hook("on_epoch_end", "Scores", span=8, parent=7, logs_after=inner, **more),
        ]
        return [told(rule.find(hooks(rows), spans)) for rule in (key_unseen, values_differ)]

    nan = float("nan")
    assert find({"loss": 1.0, "mine": 2.0}, {"loss": 1.0}, changed=["mine"]) == [
        ["adds mine to logs of its own, unseen by what comes after Group"],
        [],
    ]
    assert find({"loss": 1.0, "mine": 2.0}, {"loss": 1.0, "mine": 2.0}, changed=["mine"]) == [[], []]
    assert find({"loss": 2.0}, {"loss": 1.0}) == [[], ["sees loss 2; what comes after Group sees 1"]]
    assert find({"loss": nan, "text": "a"}, {"loss": nan, "text": "b"}) == [[], []]
    alone = hooks([hook("on_epoch_end", "Scores", span=5, parent=4, changed=["mine"], logs_after={"mine": 1.0})])
    assert told(key_unseen.find(alone, spans[:1])) == []


def test_slow_callback() -> None:
    train = batches(1, 20)
    begins = train["start_ns"].tolist()

    def find(duration: int) -> list[str]:
        ends = [hook("on_train_batch_end", batch=n, start_ns=at, duration_ns=duration) for n, at in enumerate(begins)]
        return told(slow_callback.find(train, hooks(ends)))

    (message,) = find(2 * MS)
    assert message.endswith("% of the batches' time, 2.00 ms a call")
    assert find(MS // 2) == []


def test_mean_of_means() -> None:
    bar = logged("ProgbarLogger", [3.0, 2.0, 1.5], 1.5)
    old, new = (FIT.copy() for _ in range(2))
    old["engine_version"], new["engine_version"] = "3.14.0", "3.15.0"
    assert told(mean_of_means.find(old, batches(), bar)) == ["shows about 2.16667 for a loss of 1.5"]
    assert told(mean_of_means.find(new, batches(), bar)) == []
    assert told(mean_of_means.find(old, batches(), logged("ProgbarLogger", [3.0, 2.0, 1.5], 2.2))) == []


def test_batch_index() -> None:
    jumping = batches(1, 4).assign(batch=[0, 3, 6, 9], last_batch=[0, 3, 6, 9])
    ends = hooks([hook("on_train_batch_end", batch=batch) for batch in (0, 3, 6, 9)])
    assert len(told(batch_index.find(PROCESS, jumping, ends))) == 1
    right = jumping.assign(last_batch=[2, 5, 8, 11])
    assert told(batch_index.find(PROCESS, right, ends)) == []
    assert told(batch_index.find(PROCESS, batches(1, 4), ends)) == []


def test_hook_on_another_thread() -> None:
    ends = hooks([hook("on_train_batch_end", batch=n, thread="pool-0", start_ns=(5 + 3 * n) * MS) for n in range(3)])
    (message,) = told(hook_on_another_thread.find(FIT, batches(1, 4), ends))
    assert message == "of Mine ran on pool-0, not on MainThread: 3 calls"
    late = ends.assign(start_ns=ends["start_ns"] + 3 * MS)
    assert told(hook_on_another_thread.find(FIT, batches(1, 4), late))[0].endswith(
        "1 of them after the next batch had begun"
    )


def test_hook_out_of_order() -> None:
    fit = pd.Series({"thread": "MainThread", "status": "ok", "method": "fit"})
    names = [
        "on_train_begin",
        "on_epoch_begin",
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_epoch_end",
        "on_train_end",
    ]

    lists = pd.DataFrame({"span": [30], "parent": [104], "phase": "hooks", "callback": None})

    def find(
        order: Sequence[int], process: pd.Series = PROCESS, members: Sequence[int] = (), **more: object
    ) -> list[str]:
        rows = []
        for passing, place in enumerate(order):
            epoch = None if names[place].startswith("on_train_b") and "batch" not in names[place] else 0
            epoch = None if names[place] == "on_train_end" else epoch
            batch = 0 if "batch" in names[place] else None
            rows.append(hook(names[place], epoch=epoch, batch=batch, parent=passing, span=100 + passing))
        rows[5:5] = [hook("on_epoch_end", "Member", parent=list_, span=131) for list_ in members]
        return told(hook_out_of_order.find(fit.replace(more), process, hooks(rows), lists))

    assert find([0, 1, 2, 3, 4, 5]) == []
    assert find([0, 1, 2, 4, 5]) == []  # the batch's end ran elsewhere
    assert find([0, 1, 4, 5]) == []  # nobody has hooks of batches
    assert find([0, 1, 2, 3, 4, 5], members=[30]) == []  # a callback passes its hook on to members of its own
    assert find([0, 1, 2, 3, 4, 5], members=[31]) != []
    (message,) = find([0, 1, 3, 2, 4, 5])
    assert message.startswith("is called where on_train_batch_begin or on_batch_begin or on_test_begin or on_epoch_end")
    assert find([0, 1, 4]) == ["is the last where on_epoch_begin or on_train_end should come"]
    assert find([0, 1, 4], LOSSY) == []
    assert find([0, 1, 4], ok="error") == []  # an exception left it


def test_last_batch_for_all() -> None:
    engine = pd.Series({"engine": "keras-2.2"})
    rows = [hook("on_test_batch_end", batch=n, logs_before={"loss": loss}) for n, loss in enumerate((1.0, 3.0))]

    def find(val_loss: float, fit: pd.Series = engine) -> list[str]:
        return told(
            last_batch_for_all.find(fit, hooks([*rows, hook("on_epoch_end", logs_after={"val_loss": val_loss})]))
        )

    assert find(3.0) == ["val_loss 3 is that of the last of 2 batches; their mean is 2"]
    assert find(2.0) == [] and find(3.0, FIT) == []


RULES_OF_ONES_OWN = """
from fittrace.analysis.rules import Finding, rule

@rule("two-batches", effect="it is short", remedy="train more")
def two_batches(fit, batches):
    if len(batches) == 2:
        yield Finding("two \\x1b[31m batches", epoch=0, span=2)

@rule("raises", effect="", remedy="")
def raises(hooks):
    raise KeyError("no such column")
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    from reading.stores import write_run

    return write_run(tmp_path / "traces")


def test_rules_of_ones_own(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text(RULES_OF_ONES_OWN)
    assert main(["check", str(run), "--rules", str(file)]) == 2
    out = capsys.readouterr().out
    assert "two-batches: fit 0, epoch 0: two \\x1b[31m batches\n" in out
    assert "    remedy: train more\n" in out
    assert out.endswith("rule raises failed: KeyError: 'no such column'\n")


def test_a_run_without_a_fit_has_no_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from reading.stores import write_run

    assert main(["check", str(write_run(tmp_path, "empty", {}))]) == 0
    assert capsys.readouterr().out == "no findings\n"


def test_bad_rules(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    for text, message in (("1 / 0", "ZeroDivisionError"), ("x = 1", "no rule in it"), ("def", "SyntaxError")):
        file.write_text(text)
        with pytest.raises(FittraceError, match=message):
            load(file)
    with pytest.raises(FittraceError, match="cannot be read"):
        load(tmp_path / "nowhere.py")
    with pytest.raises(FittraceError, match="no table 'batch'; a rule may take fit, process, inner, batches"):
        rule("mine", effect="", remedy="")(lambda batch: [])


def test_the_source_of_a_finding_in_a_folder_of_runs(run: Path, tmp_path: Path) -> None:
    @rule("all", effect="", remedy="")
    def everything(fit: pd.Series) -> Iterable[Finding]:
        yield Finding("is a fit", span=int(fit["span"]))

    outcome = apply(Trace.open(run.parent), [everything])
    assert [(found.run, found.fit, found.source) for found in outcome.found] == [("a1", 0, None)]
