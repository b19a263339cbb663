"""The hook calls of one fit as a sequence. Hook orders are written from it and patterns are matched against it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Call:
    """One call of one callback's hook.

    - `hook`: the hook, such as `on_epoch_end`.
    - `callback`: the class name of the callback.
    - `epoch`, `batch`: where it was called; None outside epochs or batches.
    - `passing`: the span of the `CallbackList.on_*` that made the call. All calls of one pass have the same.
    """

    hook: str
    callback: str
    epoch: int | None
    batch: int | None
    passing: int


def calls_of(hooks: pd.DataFrame, thread: str, callbacks: Collection[str] = ()) -> list[Call]:
    """The hook calls of a fit in order.

    Hooks on other threads are left out: they run in no fixed order with the fit.

    - `hooks`: the fit's rows of the table `hooks`.
    - `thread`: the thread of the fit.
    - `callbacks`: class names of callbacks, to get their calls only.

    >>> row = {"hook": "on_epoch_end", "callback": "History", "epoch": 0, "batch": pd.NA, "thread": "MainThread"}
    >>> calls_of(pd.DataFrame([row | {"parent": 7, "span": 8}]), "MainThread")
    [Call(hook='on_epoch_end', callback='History', epoch=0, batch=None, passing=7)]
    """
    chosen = hooks[hooks["thread"] == thread]
    if callbacks:
        chosen = chosen[chosen["callback"].isin(list(callbacks))]
    columns = ("hook", "callback", "epoch", "batch", "parent", "span")
    rows = zip(*(chosen[column].tolist() for column in columns), strict=True)
    return [
        # Without a recorded callback list around it, a call is a pass of its own.
        Call(hook, callback, _number(epoch), _number(batch), span if parent is pd.NA else parent)
        for hook, callback, epoch, batch, parent, span in rows
    ]


def passed_on(hooks: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """The hook calls that a callback made from within its own hook, on callbacks of its own.

    The result has the columns of `hooks` and a column `outer`, the span of the hook from which the call was made.

    - `hooks`: the fit's rows of the table `hooks`.
    - `spans`: the fit's rows of the table `spans`.
    """
    none: pd.DataFrame = hooks.iloc[:0].assign(outer=pd.Series(dtype="int64"))
    if hooks.empty:
        return none
    # A `CallbackList.on_*` has a span of the phase `hooks` without a callback. Such a span inside a callback's hook is
    # a list that the callback keeps.
    is_list = ((spans["phase"] == "hooks") & spans["callback"].isna()).to_numpy(bool)
    lists = spans[["span", "parent"]][is_list]
    lists = lists[lists["parent"].isin(hooks["span"]).to_numpy(bool)]
    if lists.empty:
        return none
    outer = lists.rename(columns={"span": "parent", "parent": "outer"})
    calls: pd.DataFrame = hooks.merge(outer, on="parent")
    return calls


def passes(calls: list[Call]) -> list[list[Call]]:
    """`calls` grouped by pass: the calls of one hook for all callbacks of a list, one after the other.

    >>> a, b = (Call("on_epoch_end", name, epoch=0, batch=None, passing=7) for name in "AB")
    >>> len(passes([a, b])), passes([])
    (1, [])
    """
    groups: list[list[Call]] = []
    for call in calls:
        if groups and groups[-1][-1].passing == call.passing:
            groups[-1].append(call)
        else:
            groups.append([call])
    return groups


def _number(value: Any) -> int | None:
    return None if value is pd.NA else int(value)
