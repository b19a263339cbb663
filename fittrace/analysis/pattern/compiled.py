"""A hook pattern as a program: steps that a matcher can follow in all ways at once, without going back.

The state of one way is the number of its step and its registers. A repetition has a register that counts its turns, an
`each` another one that holds the number of the epoch or batch that its turn is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..hook_calls import Call
from .elements import Anything, Choice, Each, Hook, Pattern, Repeat, Sequence


class Turn(NamedTuple):
    """Which numbers an `each` has met: `now` in this turn, `before` in the one before; None where none yet."""

    before: int | None = None
    now: int | None = None


Registers = tuple[int | Turn, ...]
State = tuple[int, Registers]


@dataclass(frozen=True)
class Take:
    """Take calls that are `item`; `inside` are the registers and units of the `each`es around, outermost first."""

    item: Hook | Anything
    inside: tuple[tuple[int, str], ...]

    def refused(self, call: Call, registers: Registers) -> str | None:
        """Why `call` is not what this takes, None where it is."""
        if isinstance(self.item, Hook) and not self.item.takes(call.hook, call.callback):
            return str(self.item)
        for register, unit in self.inside:
            turn, number = registers[register], call.epoch if unit == "epoch" else call.batch
            assert isinstance(turn, Turn)
            if number is None:
                return f"{self.item} in {unit} {'' if turn.now is None else turn.now}".rstrip()
            if turn.now is None and turn.before is not None and number <= turn.before:
                return f"{self.item} of a later {unit} than {turn.before}"
            # With several steps in one execution a batch's end may have a higher number than its beginning.
            if turn.now is not None and (number < turn.now if unit == "batch" else number != turn.now):
                return f"{self.item} of {unit} {turn.now}"
        return None

    def after(self, call: Call, registers: Registers) -> Registers:
        """The registers when `call` has been taken."""
        changed = list(registers)
        for register, unit in self.inside:
            turn = changed[register]
            assert isinstance(turn, Turn)
            changed[register] = turn._replace(now=call.epoch if unit == "epoch" else call.batch)
        return tuple(changed)


@dataclass(frozen=True)
class Fork:
    """Go on at each of `targets`."""

    targets: tuple[int, ...]


@dataclass(frozen=True)
class Start:
    """Begin a loop: nothing counted in `counter`, and no number met in `turn`, where it has one."""

    counter: int
    turn: int | None


@dataclass(frozen=True)
class LoopHead:
    """The head of a loop: one more turn at the next step while there are fewer than `most`, on at `leave` when there
    are `least`."""

    counter: int
    turn: int | None
    least: int
    most: int | None
    leave: int


Step = Take | Fork | Start | LoopHead


class CompiledPattern:
    """The steps of a pattern; the number one past the last is the end."""

    def __init__(self, pattern: Pattern) -> None:
        self.steps: list[Step] = []
        self._registers: list[int | Turn] = []
        self._add(pattern, ())
        self.end = len(self.steps)

    @property
    def start(self) -> State:
        """Where every way begins."""
        return 0, tuple(self._registers)

    def following(self, state: State) -> Iterator[State]:
        """The states to which `state` leads without a call being taken."""
        number, registers = state
        step = self.steps[number]
        if isinstance(step, Fork):
            for target in step.targets:
                yield target, registers
        elif isinstance(step, Start):
            yield number + 1, _with(registers, step.counter, 0, step.turn, Turn())
        elif isinstance(step, LoopHead):
            yield from self._looping(step, number, registers)

    def _looping(self, loop: LoopHead, number: int, registers: Registers) -> Iterator[State]:
        count = registers[loop.counter]
        assert isinstance(count, int)
        turn = None if loop.turn is None else registers[loop.turn]
        if isinstance(turn, Turn) and count and turn.now is None:
            return  # a turn without a call is none
        if loop.most is None or count < loop.most:
            # Beyond what has to be counted all numbers are alike, so that a long run is one way and not many.
            more = count + 1 if loop.most is not None else min(count + 1, max(loop.least, 1))
            again = Turn(before=turn.now) if isinstance(turn, Turn) else Turn()
            yield number + 1, _with(registers, loop.counter, more, loop.turn, again)
        if count >= loop.least:
            yield loop.leave, _with(registers, loop.counter, 0, loop.turn, Turn())

    def _add(self, pattern: Pattern, inside: tuple[tuple[int, str], ...]) -> None:
        if isinstance(pattern, (Hook, Anything)):
            self.steps.append(Take(pattern, inside))
        elif isinstance(pattern, Sequence):
            for item in pattern.items:
                self._add(item, inside)
        elif isinstance(pattern, Choice):
            self._add_choice(pattern, inside)
        else:
            self._add_loop(pattern, inside)

    def _add_choice(self, choice: Choice, inside: tuple[tuple[int, str], ...]) -> None:
        fork = self._reserve()
        starts, ends = [], []
        for option in choice.options:
            starts.append(len(self.steps))
            self._add(option, inside)
            ends.append(self._reserve())
        self.steps[fork] = Fork(tuple(starts))
        for end in ends:
            self.steps[end] = Fork((len(self.steps),))

    def _add_loop(self, loop: Repeat | Each, inside: tuple[tuple[int, str], ...]) -> None:
        counter, turn = self._register(0), None
        if isinstance(loop, Each):
            turn = self._register(Turn())
            inside = (*inside, (turn, loop.what))
        self.steps.append(Start(counter, turn))
        head = self._reserve()
        self._add(loop.body, inside)
        self.steps.append(Fork((head,)))
        self.steps[head] = LoopHead(counter, turn, loop.least, loop.most, len(self.steps))

    def _register(self, value: int | Turn) -> int:
        self._registers.append(value)
        return len(self._registers) - 1

    def _reserve(self) -> int:
        self.steps.append(Fork(()))
        return len(self.steps) - 1


def _with(registers: Registers, counter: int, count: int, turn: int | None, value: Turn) -> Registers:
    changed = list(registers)
    changed[counter] = count
    if turn is not None:
        changed[turn] = value
    return tuple(changed)
