"""Rules on logs and their keys: each finds what it is for, and nothing in what is nearly so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from fittrace.analysis.rules.epoch_mean_rules import mean_of_means, metrics_reset
from fittrace.analysis.rules.log_key_rules import key_missing, key_unseen, monitor_missing, values_differ
from fittrace.analysis.rules.log_value_rules import (
    last_batch_for_all,
    logs_altered,
    means_taken_for_own_values,
    not_finite,
)

from .rows import FIT, LOSSY, PROCESS, batches, hook, hooks, logged, settings, told, value


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


def test_monitor_missing() -> None:
    logs = {"loss": 1.0, "val_accuracy": 0.5}
    rows = [
        hook("on_train_begin", "EarlyStopping", parent=3, position=1),
        hook("on_epoch_end", "EarlyStopping", logs_before=logs, logs_after=logs, position=1, parent=9),
    ]

    def find(*given: dict[str, Any], more: Sequence[dict[str, Any]] = ()) -> list[str]:
        return told(monitor_missing.find(FIT, PROCESS, hooks([*rows, *more]), pd.DataFrame(list(given))))

    missing = value("callbacks[1].monitor", text="val_acc", span=3)
    assert find(missing) == ["monitors val_acc, which is in none of its logs; did you mean val_accuracy?"]
    assert find(value("callbacks[1].monitor", text="loss", span=3)) == []
    alone = {"loss": 1.0}
    unvalidated = [hook("on_epoch_end", "EarlyStopping", logs_before=alone, logs_after=alone, position=1, parent=9)]
    found = monitor_missing.find(FIT, PROCESS, hooks([rows[0], *unvalidated]), pd.DataFrame([missing]))
    assert told(found) == ["monitors val_acc, which is in none of its logs: nothing was validated"]
    assert find(missing, value("callbacks[1].save_best_only", 0.0, span=3)) == []
    assert len(find(missing, value("callbacks[1].save_best_only", 1.0, span=3))) == 1
    adding = hook("on_epoch_end", changed=["val_acc"], parent=9)
    assert find(missing, more=[adding]) == ["monitors val_acc, which Mine adds only after it"]
    assert find(missing, more=[adding | {"parent": 20}]) == ["monitors val_acc, which Mine adds to logs of its own"]
    assert find(value("callbacks[0].monitor", text="val_acc", span=2)) == []  # of another list


def test_monitor_missing_where_the_callback_looks() -> None:
    batch, epoch = {"loss": 1.0}, {"loss": 1.0, "val_loss": 2.0}

    def find(*ends: dict[str, Any], status: str = "ok", **attributes: Any) -> list[str]:
        begin, values = settings("ModelCheckpoint", monitor="val_loss", **attributes)
        fit = FIT.replace({"ok": status})
        return told(monitor_missing.find(fit, PROCESS, hooks([begin, *ends]), pd.DataFrame(values)))

    def end(name: str, logs: dict[str, Any]) -> dict[str, Any]:
        return hook(name, "ModelCheckpoint", logs_before=logs, logs_after=logs, position=1, parent=9)

    both = end("on_train_batch_end", batch), end("on_epoch_end", epoch)
    assert find(*both, save_freq="epoch") == []
    assert find(*both, save_freq=4) == ["monitors val_loss, which is in no batch's logs (save_freq=4)"]
    assert find(*both, save_freq=4, save_best_only=False) == []
    assert find(*both, hooks=["on_train_batch_end"]) == ["monitors val_loss, which is in no batch's logs"]
    assert find(*both, hooks=["on_train_batch_end", "on_epoch_end"]) == []
    # Of what did not come to an epoch's end, nothing can be told.
    assert find(both[0], status="error") == []
    assert find(both[0], end("on_epoch_end", batch), status="unfinished") == []
    assert len(find(both[0], end("on_epoch_end", batch))) == 1


def test_key_unseen_and_values_differ() -> None:
    spans = pd.DataFrame({"span": [4, 7], "parent": [1, 5], "phase": "hooks", "callback": None})

    def find(inner: dict[str, Any], outer: dict[str, Any], **more: Any) -> list[list[str]]:
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
    assert told(metrics_reset.find(FIT, inner, evaluating)) == ["calls evaluate inside the epoch; calls in all: 1"]
    at_the_end = evaluating.assign(span=[1, 2, 3, 8])
    assert told(metrics_reset.find(FIT, inner, at_the_end)) == []
    assert told(metrics_reset.find(FIT, inner[:0], evaluating)) == []


def test_metrics_reset_in_every_batch() -> None:
    """No batch's loss is the epoch's then: an evaluate always comes between."""
    inner = pd.DataFrame({"method": "evaluate", "parent_span": [1, 2, 3], "span": [80, 81, 82]})

    def find(epoch_end: float, engine: str = "keras-3") -> list[str]:
        table = logged("Mine", [3.0, 2.0, 1.5], epoch_end).assign(span=[1, 2, 3, 8])
        return told(metrics_reset.find(FIT.replace({"keras-3": engine}), inner, table))

    assert find(1.2) == ["calls evaluate inside the epoch; calls in all: 3"]
    assert find(1.2, "keras-2.2") == []  # the mean that BaseLogger makes of each batch's own
    assert find(1.5, "keras-2.2") != []  # running means, whatever the engine
    inner = inner[:2]
    assert find(1.2) == []  # a step of its own, which logs what it likes


def test_mean_of_means() -> None:
    bar = logged("ProgbarLogger", [3.0, 2.0, 1.5], 1.5)
    old, new = (FIT.copy() for _ in range(2))
    old["engine_version"], new["engine_version"] = "3.14.0", "3.15.0"
    assert told(mean_of_means.find(old, batches(), bar)) == ["shows about 2.16667 for a loss of 1.5"]
    assert told(mean_of_means.find(new, batches(), bar)) == []
    assert told(mean_of_means.find(old, batches(), logged("ProgbarLogger", [3.0, 2.0, 1.5], 2.2))) == []


def test_last_batch_for_all() -> None:
    engine = pd.Series({"engine": "keras-2.2"})
    rows = [hook("on_test_batch_end", batch=n, logs_before={"loss": loss}) for n, loss in enumerate((1.0, 3.0))]

    def find(val_loss: float, fit: pd.Series = engine) -> list[str]:
        return told(
            last_batch_for_all.find(fit, hooks([*rows, hook("on_epoch_end", logs_after={"val_loss": val_loss})]))
        )

    assert find(3.0) == ["val_loss 3 is that of the last of 2 batches; their mean is 2"]
    assert find(2.0) == [] and find(3.0, FIT) == []
