"""Differences in hooks: callbacks and hooks that one fit lacks, their order, threads and counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher

import pandas as pd

from ..contract import callbacks
from ..hook_calls import Call, calls_of
from ..pattern import described
from ..stopped import UNSET
from .comparison_data import LATER_NAMES, ComparedFit, Difference

_TIMES = re.compile(r" ?\{\d+\}")
"""The count of an `each` in a pattern."""


def hook_differences(number: int, a: ComparedFit, b: ComparedFit) -> Iterator[Difference]:
    """The differences in hooks of the pair of fits `number`."""
    table_a, table_b = _renamed(a.hooks), _renamed(b.hooks)
    for kind, message in [
        *_callbacks(callbacks(a.hooks), callbacks(b.hooks)),
        *_old_names(a.hooks, b.hooks),
        *_missing_hooks(table_a, table_b, set(callbacks(a.hooks)) & set(callbacks(b.hooks))),
        *_threads(table_a, a.thread, table_b, b.thread),
    ]:
        yield Difference("hooks", kind, number, message)
    for hook in _moved(_order(calls_of(table_a, a.thread)), _order(calls_of(table_b, b.thread))):
        yield Difference("hooks", "moved", number, f"{hook} is called at another place in B")
    yield from _stopped(number, a, b)
    batches_a, batches_b = _batch_counts(a), _batch_counts(b)
    if len(batches_a) != len(batches_b):
        yield Difference("hooks", "count", number, f"{len(batches_a)} epochs in A, {len(batches_b)} in B")
    for epoch in sorted(batches_a.keys() & batches_b.keys()):
        if batches_a[epoch] != batches_b[epoch]:
            message = f"{batches_a[epoch]:,} training batches in A, {batches_b[epoch]:,} in B"
            yield Difference("hooks", "count", number, message, epoch)
            break  # the other epochs mostly differ in the same way


def _stopped(number: int, a: ComparedFit, b: ComparedFit) -> Iterator[Difference]:
    """A difference in who stopped the fit, or in which epoch."""
    stoppers = [_who_stopped(fit.stops) for fit in (a, b)]
    if stoppers[0] != stoppers[1]:
        message = " in A, ".join(who if epoch is None else f"{who} in epoch {epoch}" for who, epoch in stoppers)
        yield Difference("hooks", "stopped", number, f"stopped by {message} in B")


def _who_stopped(stops: pd.DataFrame) -> tuple[str, int | None]:
    """The hook that set `stop_training` last, and its epoch; `nobody` if it is not set at the end."""
    if stops.empty or str(stops["value"].iloc[-1]) in UNSET:
        return "nobody", None
    last = stops.iloc[-1]
    who = "code outside of hooks" if pd.isna(last["callback"]) else f"{last['callback']}.{last['hook']}"
    return who, None if pd.isna(last["epoch"]) else int(last["epoch"])


def _callbacks(a: list[str], b: list[str]) -> Iterator[tuple[str, str]]:
    """Callbacks that one list lacks, and a different order of those that both have. Yields kind and message."""
    yield from (("lost", f"callback {name} is not in B") for name in a if name not in b)
    yield from (("added", f"callback {name} is not in A") for name in b if name not in a)
    common_a, common_b = [name for name in a if name in b], [name for name in b if name in a]
    if common_a != common_b:
        yield "moved", f"callbacks are in the order {', '.join(common_a)} in A, {', '.join(common_b)} in B"


def _old_names(a: pd.DataFrame, b: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """A difference if only one of the fits has the old names of batch hooks. Yields kind and message."""
    old_a, old_b = (not LATER_NAMES.keys().isdisjoint(table["hook"]) for table in (a, b))
    names = " and ".join(LATER_NAMES), " and ".join(LATER_NAMES.values())
    if old_a != old_b:
        yield "renamed", "{} of A are {} in B".format(*(names if old_a else reversed(names)))


def _renamed(hooks: pd.DataFrame) -> pd.DataFrame:
    """`hooks` with old names replaced by the new ones, so that they can be compared."""
    names = hooks["hook"].astype(str).map(lambda hook: LATER_NAMES.get(hook, hook))
    renamed: pd.DataFrame = hooks.assign(hook=names)
    return renamed


def _threads(a: pd.DataFrame, thread_a: str, b: pd.DataFrame, thread_b: str) -> Iterator[tuple[str, str]]:
    """Hooks that run on another thread than the fit in only one of the fits. Yields kind and message."""
    for hook in sorted(set(a["hook"]) & set(b["hook"])):
        other_threads_a = set(a.loc[a["hook"] == hook, "thread"]) - {thread_a}
        other_threads_b = set(b.loc[b["hook"] == hook, "thread"]) - {thread_b}
        if bool(other_threads_a) != bool(other_threads_b):
            which, threads = ("A", other_threads_a) if other_threads_a else ("B", other_threads_b)
            yield "thread", f"{hook} runs on {', '.join(sorted(threads))} in {which}, on the fit's thread in the other"


def _missing_hooks(a: pd.DataFrame, b: pd.DataFrame, common: set[str]) -> Iterator[tuple[str, str]]:
    """Hooks that only one of the fits calls, for all callbacks or for one of `common`, the callbacks that both have.

    Yields kind and message.
    """
    for table, other, lacks, kind in ((a, b, "B", "lost"), (b, a, "A", "added")):
        missing = [hook for hook in table["hook"].drop_duplicates() if hook not in set(other["hook"])]
        for hook in missing:
            yield kind, f"{hook} is never called in {lacks}"
        calls, other_calls = (set(zip(t["callback"], t["hook"], strict=True)) for t in (table, other))
        for callback, hook in sorted(calls - other_calls):
            if callback in common and hook not in missing:
                yield kind, f"{callback}.{hook} is never called in {lacks}"


def _order(calls: list[Call]) -> list[str]:
    """The order of hooks, each loop once, however many epochs or batches there are."""
    # Neither counts nor callbacks matter for the order, so they are taken out; equal lines that remain are turns of one
    # loop that differed in their counts.
    unnamed = [replace(call, callback="") for call in calls]
    lines = list(dict.fromkeys(_TIMES.sub("", line) for line in described(unnamed).splitlines()))
    return [hook for line in lines for hook in re.findall(r"on_\w+", line)]


def _moved(a: list[str], b: list[str]) -> list[str]:
    """The hooks that are in both orders, but at different places."""
    # Missing hooks are reported elsewhere, so the orders are compared without them. A hook has moved if the matcher
    # removes it in one place and inserts it in another.
    common = Counter(a) & Counter(b)
    a, b = ([hook for hook in hooks if hook in common] for hooks in (a, b))
    removed, inserted = Counter[str](), Counter[str]()
    for kind, start_a, end_a, start_b, end_b in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind != "equal":
            removed.update(a[start_a:end_a])
            inserted.update(b[start_b:end_b])
    return sorted(removed & inserted)


def _batch_counts(fit: ComparedFit) -> dict[int, int]:
    """The number of training batches of each epoch."""
    train = fit.batches[fit.batches["stage"] == "train"]
    return {int(epoch): int(count) for epoch, count in train.groupby("epoch").size().items()}
