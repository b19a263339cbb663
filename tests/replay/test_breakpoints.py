"""Where a walk stops: what a user may write, and what it finds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fittrace import FittraceError
from fittrace.replay.breakpoints import BadBreakpoint, Breakpoint
from fittrace.replay.condition.parser import BadCondition, Condition
from fittrace.replay.step import Step

STEP = Step(
    index=7,
    function="fit_loop",
    file="/lib/keras/engine/training_arrays.py",
    line=204,
    end_line=206,
    source="callbacks.on_epoch_end(epoch, epoch_logs)",
    phase="hooks",
    depth=1,
    epoch=2,
    batch=None,
    stage="train",
    start_ns=None,
    duration_ns=None,
    values={
        "hook": "on_batch_end",
        "callback": "Mine",
        "taken": False,
        "logs_before": {"loss": 1.5, "top 5": 0.5, "n": "x"},
        "logs": {"loss": 2.5, "lr": 0.1},
    },
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("loss > 2", True),
        ("logs.loss > 2", True),
        ("2 < loss <= 2.5", True),
        ("lr == 0.1", True),
        ("loss > 2 and epoch == 2", True),
        ("loss > 3 or not taken", True),
        ("not (loss > 2)", False),
        ("loss == -2.5 or - 2.5 == -loss", None),
        ("loss != -2.5", True),
        ("taken", False),
        ("taken == False", True),
        ("`top 5` == 0.5", True),
        ("callback == 'Mine'", True),
        ('callback != "Mine"', False),
        ("callback > 3", False),
        ("callback != 3", True),
        # What is not there is unknown, whichever way it is asked.
        ("val_loss > 2", False),
        ("not val_loss > 2", False),
        ("val_loss != 2", False),
        ("val_loss > 2 or loss > 2", True),
        ("val_loss > 2 and loss > 2", False),
        ("batch == 3", False),
        ("loss < inf", True),
        ("loss == nan", False),
        ("loss != nan", True),
    ],
)
def test_conditions_on_a_step(text: str, holds: bool | None) -> None:
    if holds is None:
        with pytest.raises(BadCondition):
            Breakpoint(condition=text)
    else:
        assert Breakpoint(condition=text).matches(STEP, enters=False, opens=False) is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "loss >",
        "loss = 2",
        "f(loss)",
        "loss + 1 > 2",
        "loss[0] > 2",
        "__import__('os').system('true')",
        "loss.__class__()",
        "[x for x in y]",
        "lambda: 0",
        "loss is None",
        "'a' in callback",
        "(loss := 3) > 2",
        "f'{loss}'",
        "b'x' == loss",
        "1j == loss",
        "loss > 2 if epoch else 3",
        "(" * 300 + "1" + ")" * 300,
        "not " * 400 + "x" * 10,
        "x" * 2000,
        "loss > 2\nepoch > 3",
        "loss\0 > 2",
    ],
)
def test_what_is_no_condition_is_told_in_one_line(text: str) -> None:
    with pytest.raises(FittraceError) as error:
        Condition.parse(text)
    assert isinstance(error.value, BadCondition)
    assert str(error.value).isprintable()


def test_nan_is_found_by_name_alone() -> None:
    nan = {"loss": math.nan}
    assert Condition.parse("loss == nan").holds(nan)
    assert not Condition.parse("loss != nan").holds(nan)
    for text in ("loss > 2", "loss <= 2", "loss == loss", "loss != 2", "not loss > 2", "loss"):
        assert not Condition.parse(text).holds(nan), text


names = st.sampled_from(["epoch", "loss", "callback", "taken", "gone"])
literals = st.sampled_from(["0", "1", "1.5", "-2", "True", "nan", "inf", "'Mine'", "'b'"])
comparisons = st.tuples(st.one_of(names, literals), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), names).map(
    " ".join
)
conditions = st.recursive(
    comparisons | names,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map("({0[0]}) {0[1]} ({0[2]})".format),
    ),
    max_leaves=6,
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "epoch": st.one_of(st.none(), st.integers(-3, 3)),
            "logs.loss": st.sampled_from([0.0, 1.5, -2.0, math.inf, math.nan]),
            "callback": st.sampled_from([None, "Mine", "b"]),
            "taken": st.sampled_from([None, True, False]),
        }
    ),
    min_size=1,
    max_size=8,
)


@given(conditions, rows, st.booleans())
def test_a_condition_says_the_same_of_rows_as_of_values(
    text: str, rows: list[dict[str, Any]], categories: bool
) -> None:
    condition = Condition.parse(text)
    frame = pd.DataFrame(rows, columns=list(rows[0]))
    types = {"epoch": "Int64", "logs.loss": float, "callback": "category" if categories else object, "taken": "boolean"}
    told = condition.holds_in(frame.astype(types))
    assert told.dtype == np.bool_
    assert told.tolist() == [condition.holds(row) for row in rows]


def test_lists_and_dicts_among_the_values_are_unknown() -> None:
    frame = pd.DataFrame({"logs": [{"a": 1}, [2], 3]})
    assert Condition.parse("logs == 3").holds_in(frame).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("205", {"file": "here.py", "line": 205}),
        ("training.py:7", {"file": "training.py", "line": 7}),
        ("C:\\keras\\training.py:7", {"file": "C:\\keras\\training.py", "line": 7}),
        ("Model.fit, epoch > 2", {"function": "Model.fit", "condition": "epoch > 2"}),
        ("hook on_epoch_end", {"hook": "on_epoch_end"}),
        ("phase validation", {"phase": "validation"}),
        ("callback Mine hook on_x, loss > 2", {"callback": "Mine", "hook": "on_x", "condition": "loss > 2"}),
        ("loss > 2 and epoch < 3", {"condition": "loss > 2 and epoch < 3"}),
        ("not stop_training", {"condition": "not stop_training"}),
        ("callback == 'a, b'", {"condition": "callback == 'a, b'"}),
    ],
)
def test_what_a_user_writes(text: str, expected: dict[str, Any]) -> None:
    breakpoint = Breakpoint.parse(text, file="here.py")
    assert breakpoint == Breakpoint(**expected)
    # And it says itself in words that are understood again.
    assert Breakpoint.parse(str(breakpoint)) == breakpoint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("phase lunch", "no phase lunch; they are fit, "),
        ("hook", None),
        ("hook on_epoch_end if", "is not a breakpoint; write FILE:LINE"),
        ("callback Mine, loss >", "is not a condition; write one like"),
        ("fit; rm", "is not a breakpoint"),
        ("", "is not a breakpoint"),
    ],
)
def test_what_is_no_breakpoint(text: str, message: str | None) -> None:
    if message is None:
        assert Breakpoint.parse(text) == Breakpoint(function="hook")
        return
    with pytest.raises(FittraceError, match=message) as error:
        Breakpoint.parse(text)
    assert "\n" not in str(error.value)
    with pytest.raises(BadBreakpoint, match="an empty breakpoint"):
        Breakpoint()
    with pytest.raises(BadBreakpoint, match="without a line"):
        Breakpoint(file="a.py")


@pytest.mark.parametrize(
    ("breakpoint", "stops"),
    [
        (Breakpoint(file="training_arrays.py", line=204), True),
        (Breakpoint(file="engine/training_arrays.py", line=206), True),
        (Breakpoint(line=205), True),
        (Breakpoint(line=207), False),
        (Breakpoint(file="arrays.py", line=204), False),
        (Breakpoint(hook="on_train_batch_end"), True),
        (Breakpoint(hook="on_batch_end", callback="Mine"), True),
        (Breakpoint(hook="on_epoch_end"), False),
        (Breakpoint(callback="Yours"), False),
        (Breakpoint(line=204, condition="loss > 3"), False),
    ],
)
def test_where_it_stops(breakpoint: Breakpoint, stops: bool) -> None:
    assert breakpoint.matches(STEP, enters=False, opens=False) is stops


def test_functions_and_phases_stop_where_they_begin() -> None:
    for where in (Breakpoint(function="fit_loop"), Breakpoint(phase="hooks")):
        assert where.matches(STEP, enters=True, opens=True)
        assert not where.matches(STEP, enters=False, opens=False)
    assert not Breakpoint(function="loop").matches(STEP, enters=True, opens=True)
    assert not Breakpoint(phase="batch").matches(STEP, enters=True, opens=True)
