"""A hook pattern, compiled to the steps of a nondeterministic automaton with registers.

A state is the number of a step and the values of the registers. Each repetition has a register that counts its turns.
Each `each` has a second one with the number of the current epoch or batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..hook_calls import Call
from .elements import Anything, Choice, Each, Hook, Pattern, Repeat, Sequence


class Turn(NamedTuple):
    """The epoch or batch numbers of an `each`.

    - `before`: the number of the previous turn; None in the first.
    - `now`: the number of this turn; None before its first call.
    """

    before: int | None = None
    now: int | None = None


Registers = tuple[int | Turn, ...]
"""The values of all registers of a pattern: counters and turns."""
State = tuple[int, Registers]
"""The number of the next step, and the registers."""


@dataclass(frozen=True)
class Take:
    """A step that takes the next call or pass.

    - `item`: what the call must be.
    - `inside`: the register and the unit (`epoch` or `batch`) of each `each` around it, outermost first.
    """

    item: Hook | Anything
    inside: tuple[tuple[int, str], ...]

    def refused(self, call: Call, registers: Registers) -> str | None:
        """What was expected in place of `call`; None if this step takes it."""
        if isinstance(self.item, Hook) and not self.item.takes(call.hook, call.callback):
            return str(self.item)
        for register, unit in self.inside:
            turn, number = registers[register], call.epoch if unit == "epoch" else call.batch
            assert isinstance(turn, Turn)
            if number is None:
                return f"{self.item} in {unit} {'' if turn.now is None else turn.now}".rstrip()
            if turn.now is None and turn.before is not None and number <= turn.before:
                return f"{self.item} of a later {unit} than {turn.before}"
            # With `steps_per_execution`, a batch's end may have a higher number than its beginning.
            if turn.now is not None and (number < turn.now if unit == "batch" else number != turn.now):
                return f"{self.item} of {unit} {turn.now}"
        return None

    def after(self, call: Call, registers: Registers) -> Registers:
        """The registers after this step has taken `call`."""
        changed = list(registers)
        for register, unit in self.inside:
            turn = changed[register]
            assert isinstance(turn, Turn)
            changed[register] = turn._replace(now=call.epoch if unit == "epoch" else call.batch)
        return tuple(changed)


@dataclass(frozen=True)
class Fork:
    """A step that takes no call and goes on at each of the steps `targets`."""

    targets: tuple[int, ...]


@dataclass(frozen=True)
class Start:
    """A step that resets the registers of a loop before its first turn.

    - `counter`: the register that counts turns.
    - `turn`: the register with the `Turn` of an `each`; None for other repetitions.
    """

    counter: int
    turn: int | None


@dataclass(frozen=True)
class LoopHead:
    """The head of a loop. The loop's body begins at the step after it.

    - `counter`, `turn`: the loop's registers, as in `Start`.
    - `least`: how many turns are needed before the loop may end.
    - `most`: how many turns are allowed; None for any number.
    - `leave`: the step after the loop.
    """

    counter: int
    turn: int | None
    least: int
    most: int | None
    leave: int


Step = Take | Fork | Start | LoopHead


class CompiledPattern:
    """The steps of a pattern. A state whose step number is `end` has matched all of it."""

    def __init__(self, pattern: Pattern) -> None:
        self.steps: list[Step] = []
        self._registers: list[int | Turn] = []
        self._add(pattern, ())
        self.end = len(self.steps)

    @property
    def start(self) -> State:
        """The state before the first call."""
        return 0, tuple(self._registers)

    def following(self, state: State) -> Iterator[State]:
        """The states that follow `state` without taking a call."""
        number, registers = state
        step = self.steps[number]
        if isinstance(step, Fork):
            for target in step.targets:
                yield target, registers
        elif isinstance(step, Start):
            yield number + 1, _with(registers, step.counter, 0, step.turn, Turn())
        elif isinstance(step, LoopHead):
            yield from self._following_loop_head(step, number, registers)

    def _following_loop_head(self, loop: LoopHead, number: int, registers: Registers) -> Iterator[State]:
        count = registers[loop.counter]
        assert isinstance(count, int)
        turn = None if loop.turn is None else registers[loop.turn]
        if isinstance(turn, Turn) and count and turn.now is None:
            return  # a turn of an `each` needs a call, and the last turn took none
        if loop.most is None or count < loop.most:
            # Without a maximum, turns beyond the minimum need no count. With one value for all of them, the states
            # of a long run are equal, so that their number does not grow.
            next_count = count + 1 if loop.most is not None else min(count + 1, max(loop.least, 1))
            next_turn = Turn(before=turn.now) if isinstance(turn, Turn) else Turn()
            yield number + 1, _with(registers, loop.counter, next_count, loop.turn, next_turn)
        if count >= loop.least:
            # The registers are reset for the same reason: what a finished loop has counted must not tell states apart.
            yield loop.leave, _with(registers, loop.counter, 0, loop.turn, Turn())

    def _add(self, pattern: Pattern, inside: tuple[tuple[int, str], ...]) -> None:
        """Append the steps of `pattern`; `inside` is as in `Take`."""
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
            inside = (*inside, (turn, loop.unit))
        self.steps.append(Start(counter, turn))
        head = self._reserve()
        self._add(loop.body, inside)
        self.steps.append(Fork((head,)))
        self.steps[head] = LoopHead(counter, turn, loop.least, loop.most, len(self.steps))

    def _register(self, value: int | Turn) -> int:
        """Add a register with this first value and return its index."""
        self._registers.append(value)
        return len(self._registers) - 1

    def _reserve(self) -> int:
        """Append a step to be replaced when its targets are known, and return its number."""
        self.steps.append(Fork(()))
        return len(self.steps) - 1


def _with(registers: Registers, counter: int, count: int, turn: int | None, value: Turn) -> Registers:
    """`registers` with `count` in the register `counter`, and `value` in the register `turn` if there is one."""
    changed = list(registers)
    changed[counter] = count
    if turn is not None:
        changed[turn] = value
    return tuple(changed)
