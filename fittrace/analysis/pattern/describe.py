"""Writing the pattern that a fit followed: equal turns once, with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from ..hook_calls import Call, passes

WIDTH = 100
"""Characters of a line within which a group stays on it."""


def described(calls: list[Call]) -> str:
    """The pattern that `calls`, and they alone, follow; empty where there are none.

    >>> def call(hook: str, passing: int) -> Call:
    ...     return Call(hook, "History", epoch=0, batch=None, passing=passing)
    >>> print(described([call("on_epoch_begin", 1), call("on_epoch_end", 2)]))
    each epoch (on_epoch_begin on_epoch_end) {1}
    """
    firsts = [group[0] for group in passes(calls)]
    return "\n".join(line for item in _by_epochs(firsts) for line in item)


Lines = list[str]


def _by_epochs(firsts: list[Call]) -> Iterator[Lines]:
    for in_epochs, group in groupby(firsts, key=lambda call: call.epoch is not None):
        if not in_epochs:
            yield from _by_batches(list(group))
            continue
        turns = [list(turn) for _, turn in groupby(group, key=lambda call: call.epoch)]
        yield from _turns("epoch", turns, _by_batches)


def _by_batches(firsts: list[Call]) -> Iterator[Lines]:
    for in_batches, group in groupby(firsts, key=lambda call: call.batch is not None):
        if not in_batches:
            yield from ([call.hook] for call in group)
            continue
        yield from _turns("batch", _batches(list(group)), _names)


def _names(firsts: list[Call]) -> Iterator[Lines]:
    yield from ([call.hook] for call in firsts)


def _batches(firsts: list[Call]) -> list[list[Call]]:
    """The turns of batch loops: with several steps in one, beginning and end may differ in their number."""
    turns: list[list[Call]] = []
    for call in firsts:
        last = turns[-1] if turns else []
        begins = call.hook.endswith("_begin") or call.hook in [known.hook for known in last]
        if not last or begins or _stage(call) != _stage(last[-1]):
            turns.append([call])
        else:
            last.append(call)
    return turns


def _stage(call: Call) -> str:
    return call.hook.rpartition("_")[0]


def _turns(what: str, turns: list[list[Call]], inner: Callable[[list[Call]], Iterator[Lines]]) -> Iterator[Lines]:
    for _, alike in groupby(((list(inner(turn)), turn[0]) for turn in turns), key=lambda turn: turn[0]):
        bodies = list(alike)
        body = [line for item in bodies[0][0] for line in item]
        head, tail = f"each {what} (", f") {{{len(bodies)}}}"
        together = head + " ".join(body) + tail
        if len(body) <= 2 and len(together) <= WIDTH:
            yield [together]
        else:
            yield [head, *("    " + line for line in body), tail]
