"""Rules on hooks and on stops: each finds what it is for, and nothing in what is nearly so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from fittrace.analysis.rules import Finding
from fittrace.analysis.rules.hook_rules import batch_index, hook_on_another_thread, hook_out_of_order
from fittrace.analysis.rules.stop_rules import stop_ignored, stop_overwritten, validation_skipped

from .rows import FIT, LOSSY, MS, NO_VALUES, PROCESS, batches, hook, hooks, settings, stop, stops, told, value


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

    def find(*rows: dict[str, Any]) -> list[str]:
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


def test_batch_index() -> None:
    jumping = batches(1, 4).assign(batch=[0, 3, 6, 9], last_batch=[0, 3, 6, 9])
    ends = hooks([hook("on_train_batch_end", batch=batch) for batch in (0, 3, 6, 9)])
    assert len(told(batch_index.find(PROCESS, jumping, ends))) == 1
    right = jumping.assign(last_batch=[2, 5, 8, 11])
    assert told(batch_index.find(PROCESS, right, ends)) == []
    assert told(batch_index.find(PROCESS, batches(1, 4), ends)) == []


def test_hook_on_another_thread() -> None:
    begin, values = settings("Mine", hooks=["on_train_batch_end"])

    def find(
        calls: Sequence[dict[str, Any]], values: Sequence[dict[str, Any]] = values, version: str = "3.15.1"
    ) -> list[Finding]:
        fit, given = FIT.replace({"3.15.1": version}), pd.DataFrame(list(values) or NO_VALUES)
        return list(hook_on_another_thread.find(fit, batches(1, 4), hooks([begin, *calls]), given))

    def ends(callback: str = "Mine", late: int = 0) -> list[dict[str, Any]]:
        times = [(5 + 3 * n + late) * MS for n in range(3)]
        return [
            hook("on_train_batch_end", callback, batch=n, thread="pool-0", start_ns=at) for n, at in enumerate(times)
        ]

    assert told(find(ends())) == ["of Mine ran on pool-0, not on MainThread: 3 calls"]
    assert told(find(ends(late=3)))[0].endswith("1 of them after the next batch had begun")
    # Keras calls them for everybody; those whom it calls for nothing have nothing to see.
    assert find(ends("History")) == []
    assert find(ends(), settings("Mine", hooks=["on_epoch_end"])[1]) == []
    assert len(find(ends(), settings("Mine", hooks=["on_batch_end"])[1])) == 1
    assert find(ends(), settings("Mine", patience=3)[1]) == []  # a trace that does not tell
    assert find(ends(), []) == []


def test_the_remedy_for_a_hook_on_another_thread_knows_the_version() -> None:
    begin, values = settings("Mine", hooks=["on_train_batch_end"])
    table = hooks([begin, hook("on_train_batch_end", batch=0, thread="pool-0")])
    remedies = []
    for version in ("3.6.0", "3.15.1"):
        fit = FIT.replace({"3.15.1": version})
        (found,) = hook_on_another_thread.find(fit, batches(1, 4), table, pd.DataFrame(values))
        remedies.append(found.remedy or hook_on_another_thread.remedy)
    assert "upgrade to Keras 3.7" in remedies[0] and "upgrade" not in remedies[1]


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
