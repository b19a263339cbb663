"""The hooks of one fit as a sequence: what a hook order is read from, and what a pattern is matched with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Call:
    """One callback's hook: its `callback` and `hook`, and the `epoch` and `batch` that it was called in.

    `passing` is the span of `CallbackList.on_*` that it belongs to, one pass of a hook through the list of callbacks.
    """

    hook: str
    callback: str
    epoch: int | None
    batch: int | None
    passing: int


def calls_of(hooks: pd.DataFrame, thread: str, callbacks: Collection[str] = ()) -> list[Call]:
    """The calls among `hooks`, the hooks of one fit, that ran on the fit's own `thread`, in order.

    With `callbacks`, only those of these callbacks. Hooks on another thread are in no order with the fit, so they are
    no part of any.
    """
    chosen = hooks[hooks["thread"] == thread]
    if callbacks:
        chosen = chosen[chosen["callback"].isin(list(callbacks))]
    columns = ("hook", "callback", "epoch", "batch", "parent", "span")
    rows = zip(*(chosen[column].tolist() for column in columns), strict=True)
    return [
        # A hook whose list of callbacks was not recorded is a pass of its own.
        Call(hook, callback, _number(epoch), _number(batch), span if parent is pd.NA else parent)
        for hook, callback, epoch, batch, parent, span in rows
    ]


def passed_on(hooks: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Those of one fit's `hooks` that a callback passed on to callbacks of its own, from within the hook whose span is
    in the column `outer`; `spans` are those of the fit."""
    none: pd.DataFrame = hooks.iloc[:0].assign(outer=pd.Series(dtype="int64"))
    if hooks.empty:
        return none
    is_list = ((spans["phase"] == "hooks") & spans["callback"].isna()).to_numpy(bool)
    lists = spans[["span", "parent"]][is_list]
    lists = lists[lists["parent"].isin(hooks["span"]).to_numpy(bool)]
    if lists.empty:
        return none
    outer = lists.rename(columns={"span": "parent", "parent": "outer"})
    calls: pd.DataFrame = hooks.merge(outer, on="parent")
    return calls


def passes(calls: list[Call]) -> list[list[Call]]:
    """`calls` in groups, one for each pass of a hook through the list of callbacks.

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
