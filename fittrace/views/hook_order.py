"""The expected and the recorded order of hooks, side by side."""

from __future__ import annotations

from collections.abc import Iterator

from ..analysis.hook_calls import Call, passes
from ..analysis.pattern import Mismatch
from ..analysis.units import epoch_and_batch
from ..schema.safe_text import printable
from .aligned import aligned

_BEFORE, _AFTER = 5, 3
"""Lines shown before and after the mismatch."""


def comparison(mismatch: Mismatch, calls: list[Call]) -> Iterator[str]:
    """The lines of a table with the expected hooks and the called hooks. `>` marks the mismatch."""
    rows = [(" ", item, _described(calls[start:end])) for item, start, end in mismatch.matched[-_BEFORE:]]
    following = passes(calls[mismatch.place :])
    rows.append((">", " | ".join(mismatch.expected), _described(following[0]) if following else "nothing more"))
    rows += [(" ", "", _described(group)) for group in following[1 : 1 + _AFTER]]
    hidden = len(mismatch.matched) - _BEFORE
    if hidden > 0:
        rows.insert(0, (" ", f"({hidden} before)", ""))
    cells = [(f"{mark} {expected}", f" {called}") for mark, expected, called in [(" ", "expected", "called"), *rows]]
    yield from (line.rstrip() for line in aligned(cells))


def position(mismatch: Mismatch, calls: list[Call]) -> str:
    """The call at which the hooks leave the expected order, in a few words."""
    if mismatch.place == len(calls):
        return f"after the last of {len(calls):,} calls" if calls else "at once: no hook was called"
    return f"at call {mismatch.place + 1:,} of {len(calls):,}, {_described(passes(calls[mismatch.place :])[0])}"


def _described(group: list[Call]) -> str:
    first = group[0]
    name = f"{printable(first.callback)}.{first.hook}" if len(group) == 1 else first.hook
    several = [f"{len(group)} callbacks"] if len(group) > 1 else []
    more = ", ".join(epoch_and_batch(first.epoch, first.batch) + several)
    return f"{name} ({more})" if more else name
