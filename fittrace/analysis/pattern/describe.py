"""Writes the pattern that a fit followed. Equal turns of a loop are written once, with their count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from ..hook_calls import Call, passes

WIDTH = 100
"""A short group stays on one line of at most so many characters."""

Lines = list[str]
"""The lines of one element of a pattern."""


def described(calls: list[Call]) -> str:
    """The pattern that exactly `calls` match; an empty text for no calls.

    >>> def call(hook: str, passing: int) -> Call:
    ...     return Call(hook, "History", epoch=0, batch=None, passing=passing)
    >>> print(described([call("on_epoch_begin", 1), call("on_epoch_end", 2)]))
    each epoch (on_epoch_begin on_epoch_end) {1}
    """
    # A hook name in a pattern stands for a whole pass, so one call of each pass is enough.
    firsts = [group[0] for group in passes(calls)]
    return "\n".join(line for element in _by_epochs(firsts) for line in element)


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
    """`firsts` cut into turns of batch loops.

    Hooks tell where a turn begins. Batch numbers do not: with `steps_per_execution`, the end of a turn may have a
    higher number than its beginning.
    """
    turns: list[list[Call]] = []
    for call in firsts:
        last = turns[-1] if turns else []
        begins = call.hook.endswith("_begin") or call.hook in [earlier.hook for earlier in last]
        if not last or begins or _stage(call) != _stage(last[-1]):
            turns.append([call])
        else:
            last.append(call)
    return turns


def _stage(call: Call) -> str:
    """The loop of a batch hook: `on_test_batch` for `on_test_batch_end`."""
    return call.hook.rpartition("_")[0]


def _turns(unit: str, turns: list[list[Call]], describe: Callable[[list[Call]], Iterator[Lines]]) -> Iterator[Lines]:
    """One `each` for every run of equal turns.

    - `unit`: `epoch` or `batch`.
    - `turns`: the calls of each turn.
    - `describe`: writes the body of a turn.
    """
    for elements, equal in groupby(list(describe(turn)) for turn in turns):
        body = [line for element in elements for line in element]
        head, tail = f"each {unit} (", f") {{{len(list(equal))}}}"
        one_line = head + " ".join(body) + tail
        if len(body) <= 2 and len(one_line) <= WIDTH:
            yield [one_line]
        else:
            yield [head, *("    " + line for line in body), tail]
