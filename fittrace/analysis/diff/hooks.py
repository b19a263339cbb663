"""What differs in the hooks of two fits: callbacks and hooks that one lacks, order, threads, and how often."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher

import pandas as pd

from ..calls import Call, calls_of
from ..contract import callbacks
from ..pattern import described
from .model import Difference, Fit

_RENAMED = {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}
"""The hooks of Keras 2.2.4 that later ones call otherwise."""
_TIMES = re.compile(r" ?\{\d+\}")


def hook_differences(number: int, a: Fit, b: Fit) -> Iterator[Difference]:
    """The differences in hooks of the pair of fits `number`."""

    def differs(kind: str, message: str, epoch: int | None = None) -> Difference:
        return Difference("hooks", kind, number, message, epoch)

    names_a, names_b = callbacks(a.hooks), callbacks(b.hooks)
    for name, lacks, kind in [(n, "B", "lost") for n in names_a if n not in names_b] + [
        (n, "A", "added") for n in names_b if n not in names_a
    ]:
        yield differs(kind, f"callback {name} is not in {lacks}")
    common_a, common_b = (
        [name for name in one if name in other] for one, other in ((names_a, names_b), (names_b, names_a))
    )
    if common_a != common_b:
        yield differs("moved", f"callbacks are in the order {', '.join(common_a)} in A, {', '.join(common_b)} in B")

    table_a, table_b = _renamed(a.hooks, b.hooks)
    if set(a.hooks["hook"]) & set(_RENAMED) and not set(b.hooks["hook"]) & set(_RENAMED):
        yield differs(
            "renamed", "on_batch_begin and on_batch_end of A are on_train_batch_begin and on_train_batch_end in B"
        )
    elif set(b.hooks["hook"]) & set(_RENAMED) and not set(a.hooks["hook"]) & set(_RENAMED):
        yield differs(
            "renamed", "on_train_batch_begin and on_train_batch_end of A are on_batch_begin and on_batch_end in B"
        )
    for kind, message in _presence(table_a, table_b, set(common_a)):
        yield differs(kind, message)
    for hook in sorted(set(table_a["hook"]) & set(table_b["hook"])):
        beside_a, beside_b = (
            set(t.loc[t["hook"] == hook, "thread"]) - {f.thread} for t, f in ((table_a, a), (table_b, b))
        )
        if bool(beside_a) != bool(beside_b):
            which, thread = ("A", beside_a) if beside_a else ("B", beside_b)
            yield differs(
                "thread", f"{hook} runs on {', '.join(sorted(thread))} in {which}, on the fit's thread in the other"
            )

    calls_a, calls_b = _calls(table_a, a.thread), _calls(table_b, b.thread)
    for hook in _moved(_skeleton(calls_a), _skeleton(calls_b)):
        yield differs("moved", f"{hook} is called at another place in B")
    counted_a, counted_b = _batches(a), _batches(b)
    if len(counted_a) != len(counted_b):
        yield differs("count", f"{len(counted_a)} epochs in A, {len(counted_b)} in B")
    for epoch in counted_a.keys() & counted_b.keys():
        if counted_a[epoch] != counted_b[epoch]:
            message = f"{counted_a[epoch]:,} training batches in A, {counted_b[epoch]:,} in B"
            yield differs("count", message, epoch)
            break


def _renamed(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with the hooks' later names, so that the same is called the same."""
    return tuple(t.assign(hook=t["hook"].astype(str).map(lambda hook: _RENAMED.get(hook, hook))) for t in (a, b))


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


def _calls(hooks: pd.DataFrame, thread: str) -> list[Call]:
    return calls_of(hooks, thread)


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


def _batches(fit: Fit) -> dict[int, int]:
    train = fit.batches[fit.batches["stage"] == "train"]
    return {int(epoch): int(count) for epoch, count in train.groupby("epoch").size().items()}
