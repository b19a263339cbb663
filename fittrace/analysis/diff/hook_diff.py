"""What differs in the hooks of two fits: callbacks and hooks that one lacks, order, threads, and how often."""

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
from .difference import LATER_NAMES, ComparedFit, Difference

_TIMES = re.compile(r" ?\{\d+\}")


def hook_differences(number: int, a: ComparedFit, b: ComparedFit) -> Iterator[Difference]:
    """The differences in hooks of the pair of fits `number`."""
    table_a, table_b = _renamed(a.hooks), _renamed(b.hooks)
    for kind, message in [
        *_callbacks(callbacks(a.hooks), callbacks(b.hooks)),
        *_renaming(a.hooks, b.hooks),
        *_presence(table_a, table_b, set(callbacks(a.hooks)) & set(callbacks(b.hooks))),
        *_threads(table_a, a.thread, table_b, b.thread),
    ]:
        yield Difference("hooks", kind, number, message)
    for hook in _moved(_skeleton(calls_of(table_a, a.thread)), _skeleton(calls_of(table_b, b.thread))):
        yield Difference("hooks", "moved", number, f"{hook} is called at another place in B")
    yield from _stopped(number, a, b)
    counted_a, counted_b = _batches(a), _batches(b)
    if len(counted_a) != len(counted_b):
        yield Difference("hooks", "count", number, f"{len(counted_a)} epochs in A, {len(counted_b)} in B")
    for epoch in sorted(counted_a.keys() & counted_b.keys()):
        if counted_a[epoch] != counted_b[epoch]:
            message = f"{counted_a[epoch]:,} training batches in A, {counted_b[epoch]:,} in B"
            yield Difference("hooks", "count", number, message, epoch)
            break


def _stopped(number: int, a: ComparedFit, b: ComparedFit) -> Iterator[Difference]:
    """Who stopped them, and in which epoch, where it is not the same."""
    told = [_who_stopped(fit.stops) for fit in (a, b)]
    if told[0] != told[1]:
        message = " in A, ".join(who if where is None else f"{who} in epoch {where}" for who, where in told)
        yield Difference("hooks", "stopped", number, f"stopped by {message} in B")


def _who_stopped(stops: pd.DataFrame) -> tuple[str, int | None]:
    """The hook that set `stop_training` last, and its epoch."""
    if stops.empty or str(stops["value"].iloc[-1]) in UNSET:
        return "nobody", None
    last = stops.iloc[-1]
    who = "code outside of hooks" if pd.isna(last["callback"]) else f"{last['callback']}.{last['hook']}"
    return who, None if pd.isna(last["epoch"]) else int(last["epoch"])


def _callbacks(a: list[str], b: list[str]) -> Iterator[tuple[str, str]]:
    """Callbacks that one list lacks, and another order of those that are in both."""
    yield from (("lost", f"callback {name} is not in B") for name in a if name not in b)
    yield from (("added", f"callback {name} is not in A") for name in b if name not in a)
    common_a, common_b = [name for name in a if name in b], [name for name in b if name in a]
    if common_a != common_b:
        yield "moved", f"callbacks are in the order {', '.join(common_a)} in A, {', '.join(common_b)} in B"


def _renaming(a: pd.DataFrame, b: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Whether one of the fits, and it alone, has the old names of a batch's hooks."""
    old_a, old_b = (not LATER_NAMES.keys().isdisjoint(table["hook"]) for table in (a, b))
    names = " and ".join(LATER_NAMES), " and ".join(LATER_NAMES.values())
    if old_a != old_b:
        yield "renamed", "{} of A are {} in B".format(*(names if old_a else reversed(names)))


def _renamed(hooks: pd.DataFrame) -> pd.DataFrame:
    """`hooks` with their later names, so that the same is called the same."""
    names = hooks["hook"].astype(str).map(lambda hook: LATER_NAMES.get(hook, hook))
    renamed: pd.DataFrame = hooks.assign(hook=names)
    return renamed


def _threads(a: pd.DataFrame, thread_a: str, b: pd.DataFrame, thread_b: str) -> Iterator[tuple[str, str]]:
    """Hooks of both that run beside the fit in one of them."""
    for hook in sorted(set(a["hook"]) & set(b["hook"])):
        beside_a = set(a.loc[a["hook"] == hook, "thread"]) - {thread_a}
        beside_b = set(b.loc[b["hook"] == hook, "thread"]) - {thread_b}
        if bool(beside_a) != bool(beside_b):
            which, threads = ("A", beside_a) if beside_a else ("B", beside_b)
            yield "thread", f"{hook} runs on {', '.join(sorted(threads))} in {which}, on the fit's thread in the other"


def _presence(a: pd.DataFrame, b: pd.DataFrame, common: set[str]) -> Iterator[tuple[str, str]]:
    """Hooks that only one of the fits has, of all callbacks or of single ones that both have."""
    for one, other, lacks, kind in ((a, b, "B", "lost"), (b, a, "A", "added")):
        missing = [hook for hook in one["hook"].drop_duplicates() if hook not in set(other["hook"])]
        for hook in missing:
            yield kind, f"{hook} is never called in {lacks}"
        there, elsewhere = (set(zip(t["callback"], t["hook"], strict=True)) for t in (one, other))
        for callback, hook in sorted(there - elsewhere):
            if callback in common and hook not in missing:
                yield kind, f"{callback}.{hook} is never called in {lacks}"


def _skeleton(calls: list[Call]) -> list[str]:
    """The order of hooks as words, without how often an epoch or a batch comes."""
    once = [replace(call, callback="") for call in calls]
    lines = list(dict.fromkeys(_TIMES.sub("", line) for line in described(once).splitlines()))
    return [word for line in lines for word in re.findall(r"on_\w+", line)]


def _moved(a: list[str], b: list[str]) -> list[str]:
    """The hooks that are in both, but at other places among the others."""
    common = Counter(a) & Counter(b)
    a, b = ([hook for hook in hooks if hook in common] for hooks in (a, b))
    removed, inserted = Counter[str](), Counter[str]()
    for kind, start_a, end_a, start_b, end_b in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind != "equal":
            removed.update(a[start_a:end_a])
            inserted.update(b[start_b:end_b])
    return sorted(removed & inserted)


def _batches(fit: ComparedFit) -> dict[int, int]:
    train = fit.batches[fit.batches["stage"] == "train"]
    return {int(epoch): int(count) for epoch, count in train.groupby("epoch").size().items()}
