"""Callbacks driven through recorded hooks, without a Keras."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest
from named_rows import named_rows
from reading.stores import columns, small_tables, write_run

import fittrace
from fittrace.replay import AbsentInput, CallbackFailed
from replay.hooks import Everything

REFERENCE = Path(__file__).parent.parent.parent / "traces" / "reference-keras-3"


@pytest.fixture(scope="module")
def trace() -> fittrace.Trace:
    return fittrace.open(REFERENCE)


def epoch_ends(trace: fittrace.Trace) -> list[dict[str, Any]]:
    """What the last of the run's own callbacks left of the logs of each epoch."""
    hooks = trace.hooks().query("hook == 'on_epoch_end' and callback == 'ProgbarLogger'")
    return list(hooks.logs_after)


class Stopping(Everything):
    """Sets `stop_training` in one hook, at one number."""

    def __init__(self, hook: str, number: int | None = None) -> None:
        super().__init__()
        self.when = (hook, number)

    def note(self, hook: str, *arguments: Any) -> None:
        super().note(hook, *arguments)
        if self.when == (hook, arguments[0] if len(arguments) > 1 else None):
            self.model.stop_training = True


def test_hooks_are_those_that_the_runs_last_callback_had(trace: fittrace.Trace) -> None:
    seen = Everything()
    driven = fittrace.drive(trace, [seen])
    own = trace.hooks().query("fit == 0 and callback == 'ProgbarLogger'")
    assert [name for name, *_ in seen.calls] == ["set_model", "set_params", *own.hook]
    assert [logs for *_, logs in seen.calls[2:]] == list(own.logs_after)
    number = [call[1] for call in seen.calls[2:] if len(call) == 3]
    expected = [row.epoch if "epoch" in row.hook else row.batch for row in named_rows(own) if row.hook.count("_") > 2]
    epochs = [row.epoch for row in named_rows(own) if row.hook in ("on_epoch_begin", "on_epoch_end")]
    assert sorted(number) == sorted([n for n in expected if n is not None] + epochs)
    assert driven.hooks == len(own)
    assert driven.stop is None


def test_history_is_the_logs_at_the_end_of_each_epoch(trace: fittrace.Trace) -> None:
    history = fittrace.drive(trace, []).history
    assert list(history.index) == list(range(6))
    assert history.to_dict("records") == epoch_ends(trace)


def test_callbacks_pass_the_logs_on_to_one_another(trace: fittrace.Trace) -> None:
    class Adding:
        def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
            logs["twice"] = 2 * logs["loss"]
            del logs["worst_batch"]

    seen = Everything()
    driven = fittrace.drive(trace, [Adding(), seen])
    ends = [logs for name, *_, logs in seen.calls if name == "on_epoch_end"]
    assert [logs["twice"] for logs in ends] == [2 * logs["loss"] for logs in epoch_ends(trace)]
    assert "worst_batch" not in driven.history
    assert list(driven.history.twice) == [logs["twice"] for logs in ends]
    # What the callbacks do to them stays theirs.
    assert list(fittrace.drive(trace, []).history.columns) == list(epoch_ends(trace)[0])


@pytest.mark.parametrize(
    ("hook", "number", "end"),
    [
        ("on_train_batch_end", 3, (0, 3)),
        ("on_train_batch_begin", 3, (0, 3)),
        ("on_epoch_begin", 2, (2, 0)),
        ("on_epoch_end", 2, (2, None)),
        ("on_test_end", None, (0, None)),
        ("on_train_begin", None, (0, 0)),
    ],
)
def test_stop_training_ends_it_where_the_engine_looks(
    trace: fittrace.Trace, hook: str, number: int | None, end: tuple[int, int | None]
) -> None:
    stopping, seen = Stopping(hook, number), Everything()
    driven = fittrace.drive(trace, [stopping, seen])
    assert driven.stop is not None
    assert (driven.stop.last_epoch, driven.stop.last_batch) == end
    assert (driven.stop.callback, driven.stop.hook) == ("Stopping", hook)
    looked_at = "on_epoch_end" if end[1] is None else "on_train_batch_end"
    assert [name for name, *_ in seen.calls][-2:] == [looked_at, "on_train_end"]
    assert seen.calls == stopping.calls  # the others still get the hook in which one of them stops


def test_a_stop_that_is_taken_back_is_none(trace: fittrace.Trace) -> None:
    class Undecided(Stopping):
        def note(self, hook: str, *arguments: Any) -> None:
            super().note(hook, *arguments)
            if hook == "on_train_batch_begin":
                self.model.stop_training = False

    assert fittrace.drive(trace, [Undecided("on_epoch_begin", 1)]).stop is None
    assert fittrace.drive(trace, [Stopping("on_train_end")]).stop is None


def test_on_train_end_is_given_the_logs_of_the_last_epoch(trace: fittrace.Trace) -> None:
    stopping = Stopping("on_epoch_end", 2)
    fittrace.drive(trace, [stopping])
    (name, logs), end = stopping.calls[-1], epoch_ends(trace)[2]
    assert name == "on_train_end"
    assert logs == {key: end[key] for key in logs}
    assert set(logs) == {"accuracy", "loss", "val_accuracy", "val_loss"}


def test_what_raises_says_where_and_keeps_its_traceback(trace: fittrace.Trace) -> None:
    class Crashing:
        def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> Any:
            if batch == 7:
                return logs["los"]

    with pytest.raises(CallbackFailed, match=r"^Crashing.on_train_batch_end failed at epoch 0, batch 7: KeyError") as e:
        fittrace.drive(trace, [Crashing()])
    failed = e.value
    assert (failed.callback, failed.hook, failed.epoch, failed.batch) == ("Crashing", "on_train_batch_end", 0, 7)
    assert isinstance(failed.__cause__, KeyError)
    frames = [frame for frame, _ in traceback.walk_tb(failed.__cause__.__traceback__)]
    assert frames[1].f_code.co_name == "on_train_batch_end"
    assert failed.driven.hooks == 2 + 2 * 8


def test_keras_2_2_and_keras_3_words_reach_the_right_method(trace: fittrace.Trace) -> None:
    class Old:
        """A callback of Keras 2.2: it knows neither `on_train_batch_*` nor hooks of validation."""

        def __init__(self) -> None:
            self.batches: list[tuple[str, int]] = []

        def on_batch_begin(self, batch: int, logs: dict[str, Any]) -> None:
            self.batches.append(("begin", batch))

        def on_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
            self.batches.append(("end", batch))

    class New(Old):
        """One of a later Keras, whose new words call the old ones."""

        on_train_batch_begin = Old.on_batch_begin
        on_train_batch_end = Old.on_batch_end

    old, new = Old(), New()
    fittrace.drive(trace, [old, new])
    assert old.batches == new.batches
    assert old.batches[:4] == [("begin", 0), ("end", 0), ("begin", 1), ("end", 1)]
    assert len(old.batches) == 2 * 450


class Asking:
    """Uses something of the model, or of the logs, in one hook."""

    def __init__(self, ask: Any, hook: str = "on_epoch_end") -> None:
        setattr(self, hook, lambda *arguments: ask(self.model, arguments[-1]))

    def set_model(self, model: Any) -> None:
        self.model = model


@pytest.mark.parametrize("name", ["get_weights", "save_weights", "optimizer", "predict", "layers"])
def test_what_needs_a_model_is_absent(trace: fittrace.Trace, name: str) -> None:
    with pytest.raises(CallbackFailed, match=rf"Asking.on_epoch_end failed at epoch 0: model.{name}: .* give a model"):
        fittrace.drive(trace, [Asking(lambda model, logs: getattr(model, name))])


def test_what_no_model_must_have_is_simply_not_there(trace: fittrace.Trace) -> None:
    def ask(model: Any, logs: dict[str, Any]) -> None:
        assert not hasattr(model, "metrics")
        model.mine = 3
        assert model.mine == 3

    fittrace.drive(trace, [Asking(ask)])


def test_a_given_model_is_used_as_it_is(trace: fittrace.Trace) -> None:
    class Mine:
        stop_training = True

        def get_weights(self) -> Any:
            return [1.0]

    mine = Mine()
    driven = fittrace.drive(trace, [Asking(lambda model, logs: model.get_weights())], model=mine)
    assert driven.stop is None
    assert mine.stop_training is False
    assert "those of the given model are not the run's" in repr(driven)


def run_with(tmp_path: Path, spans: Any = None) -> fittrace.Trace:
    """The small run, or one with other spans; its callback lists say which hook they passed on."""
    tables = small_tables() | ({} if spans is None else {"spans": spans})
    names = [name if name.startswith("CallbackList.") else "." for name in tables["spans"]["name"]]
    hooks = [name.split(".")[1] or own for name, own in zip(names, tables["spans"]["hook"], strict=True)]
    return fittrace.open(write_run(tmp_path, tables=tables | {"spans": tables["spans"] | {"hook": hooks}}))


def test_what_is_no_number_says_so_when_it_is_used(tmp_path: Path) -> None:
    trace = run_with(tmp_path)
    end = "on_train_batch_end"
    for use in (float, bool, len, "{:.3f}".format, lambda value: value + 1, lambda value: value == "x"):
        asking = Asking(lambda model, logs, use=use: use(logs["note"]), hook=end)
        with pytest.raises(CallbackFailed) as failed:
            fittrace.drive(trace, [asking])
        assert isinstance(failed.value.__cause__, AbsentInput)
    driven = fittrace.drive(trace, [Asking(lambda model, logs: logs.get("note"), hook=end)])
    assert "absent: logs that are not numbers: note" in repr(driven)


def test_hooks_that_the_engine_left_out_are_driven_without_logs(tmp_path: Path) -> None:
    spans = small_tables()["spans"]
    rows = [{name: values[row] for name, values in spans.items()} for row in (4, 0, 1, 2, 3, 7, 8)]
    rows[0] |= {"name": "CallbackList.on_train_begin", "span": 20, "batch": None, "start_ns": spans["start_ns"][1] - 10}
    trace = run_with(tmp_path, columns(rows))
    seen = Everything()
    driven = fittrace.drive(trace, [seen])
    names = [f"on_train_batch_{when}" for _ in range(2) for when in ("begin", "end")]
    assert [(name, number) for name, number, _ in seen.calls[3:]] == list(zip(names, (0, 0, 1, 1), strict=True))
    assert "absent: logs of 2 hooks that no callback of the run received: on_train_batch_end" in repr(driven)
    for use in (lambda logs: logs["loss"], lambda logs: logs.get("loss"), lambda logs: (logs or {}).get("loss"), dict):
        asking = Asking(lambda model, logs, use=use: use(logs), hook="on_train_batch_end")
        with pytest.raises(CallbackFailed, match="no callback of the recorded run received them"):
            fittrace.drive(trace, [asking])


def test_a_run_that_failed_says_how_it_ended(tmp_path: Path) -> None:
    trace = run_with(tmp_path)
    assert "ends as recorded: error in no epoch (ValueError: no)" in repr(fittrace.drive(trace, []))


def test_its_text_says_where_it_ends_and_on_what_that_rests(trace: fittrace.Trace) -> None:
    text = repr(fittrace.drive(trace, [Stopping("on_epoch_begin", 2), Everything()]))
    assert text.splitlines() == [
        "fit 0 of keras-3 3.15.1, driven with Stopping, Everything",
        "  ends after epoch 2, batch 0: Stopping set stop_training in on_epoch_begin at epoch 2",
        "  389 hooks passed on",
        "  recorded: hooks in order, with their epochs and batches",
        "  recorded: numbers in logs: accuracy, loss, val_accuracy, val_loss, worst_batch",
        "  recorded: params as far as the run went: epochs=6, steps=75",
        "  absent: weights, optimizer, tensors",
    ]


def test_what_cannot_be_driven_is_told_in_one_line(trace: fittrace.Trace, tmp_path: Path) -> None:
    wrong: list[tuple[Any, int, str]] = [
        ([Everything], 0, "drive: Everything is a class; give an object, Everything"),
        (Everything(), 0, "drive: callbacks is a Everything; give a list"),
        ([], 9, "no fit 9"),
    ]
    for callbacks, fit, message in wrong:
        with pytest.raises(fittrace.FittraceError, match=message):
            fittrace.drive(trace, callbacks, fit=fit)


def test_one_of_several_fits_of_a_number_is_chosen(tmp_path: Path) -> None:
    for name in ("a1", "b2"):
        write_run(tmp_path, name, processes=2)
    runs = fittrace.open(tmp_path)
    with pytest.raises(fittrace.FittraceError, match="4 fits have the number 0; give process, and run"):
        fittrace.drive(runs, [])
    assert fittrace.drive(runs, [], process=1, run="b2").hooks == 0
    with pytest.raises(fittrace.FittraceError, match="no fit 0 in process 2"):
        fittrace.drive(runs, [], process=2)


def test_evaluate_is_driven_too(trace: fittrace.Trace) -> None:
    """The engine looks at no `stop_training` there."""
    stopping = Stopping("on_test_batch_end", 1)
    driven = fittrace.drive(trace, [stopping], fit=1)
    assert driven.stop is None
    assert [name for name, *_ in stopping.calls][2:4] == ["on_test_begin", "on_test_batch_begin"]
    assert stopping.calls[-1][0] == "on_test_end"


@pytest.mark.parametrize(
    "name", ["delete_checkpoints", "__init__", "on_epoch_end.__call__", "on_epoch_ends", "set_model", ""]
)
def test_no_method_is_called_but_a_hook_of_keras(tmp_path: Path, name: str) -> None:
    """The names of hooks are a stranger's: whatever a callback has besides hooks is none of his business."""
    tables = small_tables()
    tables["spans"]["hook"] = [hook and name for hook in tables["spans"]["hook"]]
    tables["spans"]["hook"][4] = name  # what the list of callbacks passed on
    tables["spans"]["hook"][9] = "on_train_batch_end"
    called = []

    class Mine:
        def __getattribute__(self, attribute: str) -> object:
            called.append(attribute)
            return lambda *arguments: None

    with pytest.raises(fittrace.FittraceError, match="is not a hook of Keras"):
        fittrace.drive(fittrace.open(write_run(tmp_path, tables=tables)), [Mine()])
    assert set(called) <= {"__class__"}  # which `isinstance` looks at
