"""Matching a hook pattern with the calls of a fit, and where they part when it does not match."""

from __future__ import annotations

from dataclasses import dataclass

from ..hook_calls import Call, passes
from .compiled import CompiledPattern, State, Take
from .elements import Hook, Pattern

END = "the end"


@dataclass(frozen=True)
class Mismatch:
    """Where calls leave a pattern.

    `place` is the index of the first call that fits nowhere, or their number where they end too early. `expected` says
    what could have come there. `matched` says of what came before what it was taken for: the item, and the indices of
    its first call and of the one after its last.
    """

    place: int
    expected: tuple[str, ...]
    matched: tuple[tuple[str, int, int], ...]


# How a state was reached: the step before, and what was taken there. Shared, so that a long run takes little memory.
_Trail = tuple["_Trail", str, int, int] | None


def match(pattern: Pattern, calls: list[Call]) -> Mismatch | None:
    """None where all of `calls` are what `pattern` says, else where they part.

    >>> from .parse import parse
    >>> calls = [Call("on_train_begin", "History", None, None, 0), Call("on_train_end", "History", None, None, 2)]
    >>> match(parse("on_train_begin ... on_train_end"), calls) is None
    True
    >>> match(parse("on_train_begin on_epoch_begin"), calls).expected
    ('on_epoch_begin',)
    """
    program = CompiledPattern(pattern)
    pass_ends = _pass_ends(calls)
    reached: dict[int, dict[State, _Trail]] = {0: {program.start: None}}
    furthest, waiting = 0, {}
    for place in range(len(calls) + 1):
        states = reached.pop(place, None)
        if states is None:
            continue
        furthest, waiting = place, _closed(program, states)
        if place == len(calls):
            break
        for (number, registers), trail in waiting.items():
            step = program.steps[number] if number < program.end else None
            if not isinstance(step, Take) or step.refused(calls[place], registers) is not None:
                continue
            one = isinstance(step.item, Hook) and step.item.callback is not None
            end = place + 1 if one else pass_ends[place]
            state = number + 1, step.after(calls[end - 1], registers)
            reached.setdefault(end, {}).setdefault(state, (trail, str(step.item), place, end))
    if furthest == len(calls) and any(number == program.end for number, _ in waiting):
        return None
    return _mismatch(program, calls, furthest, waiting)


def _closed(program: CompiledPattern, states: dict[State, _Trail]) -> dict[State, _Trail]:
    """`states`, and all to which they lead without a call being taken."""
    found = dict(states)
    unseen = list(reversed(states))
    while unseen:
        state = unseen.pop()
        if state[0] == program.end:
            continue
        for following in program.following(state):
            if following not in found:
                found[following] = found[state]
                unseen.append(following)
    return found


def _mismatch(program: CompiledPattern, calls: list[Call], place: int, waiting: dict[State, _Trail]) -> Mismatch:
    expected: dict[str, None] = {}
    best: _Trail = None
    for (number, registers), trail in sorted(waiting.items(), key=lambda item: item[0][0]):
        step = program.steps[number] if number < program.end else None
        if isinstance(step, Take):
            refused = step.refused(calls[place], registers) if place < len(calls) else str(step.item)
            expected[refused or str(step.item)] = None
            best = best or trail
        elif step is None:
            expected[END] = None
            best = best or trail
    return Mismatch(place, tuple(expected), _followed(best))


def _followed(trail: _Trail) -> tuple[tuple[str, int, int], ...]:
    taken = []
    while trail is not None:
        trail, item, start, end = trail
        taken.append((item, start, end))
    return tuple(reversed(taken))


def _pass_ends(calls: list[Call]) -> list[int]:
    """For each call the index one after the last call of its pass."""
    ends: list[int] = []
    for group in passes(calls):
        end = len(ends) + len(group)
        ends += [end] * len(group)
    return ends
