"""Compares a hook pattern with the hook calls of a fit, and finds where they differ."""

from __future__ import annotations

from dataclasses import dataclass

from ..hook_calls import Call, passes
from .compiled import CompiledPattern, State, Take
from .elements import Hook, Pattern

END = "the end"
"""What is expected where a pattern allows no further call."""


@dataclass(frozen=True)
class Mismatch:
    """The first difference between calls and a pattern.

    - `place`: the index of the first call that does not match; the number of calls if they end too early.
    - `expected`: what could have come there, as texts.
    - `matched`: the elements that matched before: each as text, the index of its first call, and the index after its
      last.
    """

    place: int
    expected: tuple[str, ...]
    matched: tuple[tuple[str, int, int], ...]


# How a state was reached: the trail before, the matched element, the index of its first call and the index after its
# last. It is a linked list: states share its beginning, so that a long run takes little memory.
_Trail = tuple["_Trail", str, int, int] | None


def match(pattern: Pattern, calls: list[Call]) -> Mismatch | None:
    """None if all of `calls` match `pattern`, else the first difference.

    >>> from .parse import parse
    >>> calls = [Call("on_train_begin", "History", None, None, 0), Call("on_train_end", "History", None, None, 2)]
    >>> match(parse("on_train_begin ... on_train_end"), calls) is None
    True
    >>> match(parse("on_train_begin on_epoch_begin"), calls).expected
    ('on_epoch_begin',)
    """
    # All states are followed at once, as in a nondeterministic automaton. A search that goes back could take
    # exponential time.
    program = CompiledPattern(pattern)
    pass_ends = _pass_ends(calls)
    # The states by the index of the next call. One step may take a whole pass, so states run ahead of each other.
    reached: dict[int, dict[State, _Trail]] = {0: {program.start: None}}
    furthest, waiting = 0, {}
    for index in range(len(calls) + 1):
        states = reached.pop(index, None)
        if states is None:
            continue
        furthest, waiting = index, _closure(program, states)
        if index == len(calls):
            break
        for (number, registers), trail in waiting.items():
            step = program.steps[number] if number < program.end else None
            if not isinstance(step, Take) or step.refused(calls[index], registers) is not None:
                continue
            is_single_call = isinstance(step.item, Hook) and step.item.callback is not None
            end = index + 1 if is_single_call else pass_ends[index]
            state = number + 1, step.after(calls[end - 1], registers)
            reached.setdefault(end, {}).setdefault(state, (trail, str(step.item), index, end))
    if furthest == len(calls) and any(number == program.end for number, _ in waiting):
        return None
    return _mismatch(program, calls, furthest, waiting)


def _closure(program: CompiledPattern, states: dict[State, _Trail]) -> dict[State, _Trail]:
    """`states`, and all states that can be reached from them without taking a call."""
    closure = dict(states)
    unseen = list(reversed(states))
    while unseen:
        state = unseen.pop()
        if state[0] == program.end:
            continue
        for following in program.following(state):
            if following not in closure:
                closure[following] = closure[state]
                unseen.append(following)
    return closure


def _mismatch(program: CompiledPattern, calls: list[Call], index: int, waiting: dict[State, _Trail]) -> Mismatch:
    """The mismatch at `index`, where the states `waiting` take no call."""
    expected: dict[str, None] = {}  # used as an ordered set
    best: _Trail = None
    for (number, registers), trail in sorted(waiting.items(), key=lambda item: item[0][0]):
        step = program.steps[number] if number < program.end else None
        if isinstance(step, Take):
            refused = step.refused(calls[index], registers) if index < len(calls) else str(step.item)
            expected[refused or str(step.item)] = None
            best = best or trail
        elif step is None:
            expected[END] = None
            best = best or trail
    return Mismatch(index, tuple(expected), _matched(best))


def _matched(trail: _Trail) -> tuple[tuple[str, int, int], ...]:
    """The elements of a trail, first to last."""
    matched = []
    while trail is not None:
        trail, item, start, end = trail
        matched.append((item, start, end))
    return tuple(reversed(matched))


def _pass_ends(calls: list[Call]) -> list[int]:
    """For each call the index after the last call of its pass."""
    ends: list[int] = []
    for group in passes(calls):
        end = len(ends) + len(group)
        ends += [end] * len(group)
    return ends
