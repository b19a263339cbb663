"""The probes in Python: what the rewritten code calls, for one thread. `native/probes.c` does the same in C.

They append to the thread's buffer, one record in one operation of the interpreter, which no other thread can split.
Around each hook they ask whether the logs and `stop_training` have changed. Mostly they have not. That is found by the
identity of the objects, which runs nobody's code; only what is new is inspected.
"""

from __future__ import annotations

import struct
import sys
from operator import is_
from types import TracebackType
from typing import Any, Callable, Sequence

from ...schema.fibonacci_hashing import fibonacci_hash
from ...schema.journal_format import ABSENT, WHOLE
from ..isolation.original_threads import get_ident
from ..journal.pybuffer import Buffer
from . import kept_values
from .log_inspector import LogInspector
from .observer import BATCH_FILTER, Dispatch, Observing
from .probe_constants import Constant

TRIES = 4
"""How often work that a signal handler may interrupt is tried, at most."""
_NOTHING: dict[str, Any] = {}
# Plain ints: before Python 3.12 it takes a call to get at a member of an enumeration, and every record would take it.
_OBSERVED, _IGNORED, _ENTERS, _LEAVES, _FILTERED = map(int, Dispatch)


class _Shape:
    """Logs that are plain numbers under certain keys, as logs of one length were last.

    `number` is that of the keys with the kind of each value, and `kinds` are those.
    """

    __slots__ = ("_keys", "_kinds", "_number", "_types")

    def __init__(self, logs: dict[str, float], number: int, kinds: str) -> None:
        self._keys, self._types = tuple(logs), tuple(map(type, logs.values()))
        self._number, self._kinds = number, kinds

    def operands(self, logs: dict[str, float]) -> list[int] | None:
        """The operands of a `state` record for logs, or None where they are not of this shape."""
        if not (all(map(is_, logs, self._keys)) and all(map(is_, map(type, logs.values()), self._types))):
            return None
        operands = [self._number]
        try:
            for kind, value in zip(self._kinds, logs.values()):
                if kind == "n":
                    operands += kept_values.halves(value)
                elif 0 <= value < WHOLE:
                    operands.append(int(value))
                else:
                    return None
        except struct.error:  # an int that no float can hold
            return None
        return operands


def _are_equal(some: dict[str, float], others: dict[str, float]) -> bool:
    """Whether plain numbers are equal; Python's own comparison would have NumPy warn the program of some of them."""
    return len(some) == len(others) and all(
        key in some and (value is some[key] or float(value) == float(some[key])) for key, value in others.items()
    )


def _raised_at(traceback: TracebackType | None) -> int:
    """The line of the running function in which an exception was raised, or to which it came from a call."""
    line = traceback.tb_lineno if traceback is not None else None
    return line if type(line) is int and line > 0 else ABSENT


def _calling() -> int:
    """The identity of the frame of the rewritten function that called a probe."""
    frame: Any = sys._getframe(1)
    while frame.f_globals is globals():
        frame = frame.f_back
    return id(frame)


class Probe(Constant):
    """One probe, as an operator: `-probe` records `head`, and so does `probe | value`, which is the value.

    `0 in probe` asks what `begins`, `is_here` and `known` tell.
    """

    __slots__ = ("_head", "_record")

    def __init__(self, record: Callable[[int], Any], head: int) -> None:
        self._record = record
        self._head = head

    def __neg__(self) -> Any:
        return self._record(self._head)

    def __or__(self, value: Any) -> Any:
        self._record(self._head)
        return value

    def __contains__(self, _: object) -> bool:
        return self._record(self._head)  # type: ignore[no-any-return]


class Probes:
    """The functions that one thread's probes call.

    - `inspector`: looks at what is new, and takes what fails meanwhile.
    - `buffer`: takes the records.
    - `observing`: sees the records that interest it; None where nobody observes.
    """

    def __init__(self, inspector: LogInspector, buffer: Buffer, observing: Observing | None) -> None:
        self._thread = get_ident()
        self._greenlet: Callable[[], Any] | None = None
        self._inspector = inspector
        self._clock = inspector.clock
        self._observing = observing
        self._entered = 0
        self._extend = buffer.extend
        self.step = buffer.append
        self._shapes: dict[int, _Shape] = {}
        self.forget()

    def probe(self, name: str, head: int) -> Probe:
        """The probe that does with `head` what the function `name` does.

        That is one of `mark`, `step`, `leave_root`, `begins`, `is_here` and `known`.
        """
        return Probe(getattr(self, name), head)

    def known(self, _: int) -> bool:
        """Always True. What arrives of a probe in another process is empty bytes, of which `in` is False."""
        return True

    def is_here(self, _: int = 0) -> bool:
        """Whether this is the thread that made these probes, in its main greenlet."""
        return get_ident() == self._thread and (self._greenlet is None or self._greenlet().parent is None)

    def turn_green(self, greenlet: Callable[[], Any]) -> None:
        """Do nothing in greenlets but the main one from now on; `greenlet` gives the one that runs."""
        self._greenlet = greenlet

    def leave(self) -> None:
        """The thread has ended. Another may get its number, and is not taken for it."""
        self._thread = 0

    def record(self, record: Sequence[int]) -> None:
        """Append a record: a head and its operands."""
        self._extend(record)
        if self._observing is not None:
            self._dispatch(record, self._observing)

    def mark(self, head: int, *operands: Any) -> None:
        """Append a record whose first operand is the time."""
        self.record((head, self._clock(), *operands))

    def begins(self, head: int) -> bool:
        """A mark without operands where this is the thread that made these probes; whether it is."""
        if not self.is_here():
            return False
        self.mark(head)
        return True

    def hooks(self, head: int, owner: object, number: Any) -> None:
        """A callback list, the `owner`, begins to pass a hook on, of the batch or epoch of that `number`."""
        # Where a callback passes its hook on to a list of its own, what is known is of the list around it.
        self._begin_list()
        self.mark(head, id(owner), number if type(number) is int and number >= 0 else ABSENT)
        try:
            self._watch(owner)
        except Exception as error:
            self._inspector.fault("looking at stop_training", error)

    def named(self, head: int, hook: object) -> None:
        """Record which hook it is, of several that a method of the list passes on."""
        self.record((head, self._inspector.text(hook) if type(hook) is str else ABSENT))

    def hook(self, head: int, owner: object, callback: object, logs: Any) -> None:
        """One callback's hook begins, and that of the callback before it has ended."""
        end = begin = self._clock()
        has_looked = self._look_around(owner, logs, "reading the logs of a hook")
        kind = self._inspector.classes.get(id(type(callback)))
        if kind is None:
            kind = self._inspector.meet(type(callback))
            has_looked = True
        if has_looked:
            begin = self._clock()  # what inspecting takes belongs to neither hook
        self.record((head, end, begin, kind))

    def hooked(self, head: int, owner: object, logs: Any) -> None:
        """The last of the callbacks' hooks has ended."""
        end = self._clock()
        self._look_around(owner, logs, "reading the logs after a hook")
        # What comes next is another list, perhaps one around this.
        self._begin_list()
        self.record((head, end))

    def hooked_last(self, head: int, owner: object, logs: Any) -> None:
        """The same where the model may go afterwards."""
        self.hooked(head, owner, logs)
        self.forget()

    def forget(self) -> None:
        """Let go of all objects of the program's."""
        self._begin_list()
        # The callback list that passes hooks on, its model's attributes, and what `stop_training` was at the last look.
        self._owner: object = None
        self._attributes, self._stopping = _NOTHING, None

    def unwind(self, head: int) -> None:
        """An exception leaves a function: end its frame."""
        now, text, line = self._clock(), ABSENT, ABSENT
        try:
            _, raised, traceback = sys.exc_info()
            line = _raised_at(traceback)
            self.forget()
            text = self._inspector.error(raised, traceback)
        except Exception as error:
            self._inspector.fault("naming an exception", error)
        finally:
            self.record((head, now, text, line))

    def unwind_root(self, head: int) -> None:
        """The same of a call of a model's method; then the program's own functions may be as they were."""
        frame, interruption = _calling(), None
        try:
            self.unwind(head)
        except BaseException as error:
            interruption = error
        for _ in range(TRIES):
            try:
                self._inspector.end_root(frame)
                break
            except BaseException as error:
                interruption = interruption or error
        if interruption is not None:
            raise interruption

    def leave_root(self, head: int) -> None:
        """A call of a model's method ends as it should."""
        self._inspector.end_root(_calling())
        self.mark(head)

    def raised(self, head: int) -> None:
        """An exception was caught, goes on, or leaves a generator: record the line where it was raised."""
        kind, _, traceback = sys.exc_info()
        if kind is not GeneratorExit:  # Python closes a generator that nobody resumes any more
            self.record((head, _raised_at(traceback)))

    def _begin_list(self) -> None:
        """Another callback list is next: nothing was recorded of its logs."""
        # The dict that was looked at last, while its callback list is at work, and what it held.
        self._seen: Any = None
        self._keys: tuple[str, ...] = ()
        self._values: tuple[float, ...] = ()
        # What was recorded last: plain numbers, or the operands that describe anything else.
        self._last: dict[str, float] | None = None
        self._described: tuple[int, ...] = ()

    def _dispatch(self, record: Sequence[int], observing: Observing) -> None:
        """Let the observer have a record that it is interested in."""
        site = -record[0] - 1
        interest = observing.interest[site] if site < len(observing.interest) else _OBSERVED
        if interest == _ENTERS:
            self._entered += 1
        elif interest == _LEAVES and self._entered:
            self._entered -= 1
        elif interest != _IGNORED and (interest != _FILTERED or self._passes(record, observing)):
            entered, self._entered = self._entered, 0
            observing.observe(record, entered)

    @staticmethod
    def _passes(record: Sequence[int], observing: Observing) -> bool:
        shift, limit, due = BATCH_FILTER.unpack(observing.batch_filter)
        return bool(record[1] >= due or fibonacci_hash(record[1] + shift) < limit)

    def _look_around(self, owner: object, logs: Any, where: str) -> bool:
        """Look at what has changed; whether anything has."""
        has_looked = False
        try:
            if logs is not None and not (logs is self._seen and self._holds_the_same(logs)):
                has_looked = True
                self._seen = None
                if self._look(logs):
                    self._seen, self._keys, self._values = logs, tuple(logs), tuple(logs.values())
            return self._watch(owner) or has_looked
        except Exception as error:
            self._inspector.fault(where, error)
            return True

    def _holds_the_same(self, logs: dict[str, float]) -> bool:
        return (
            len(logs) == len(self._keys)
            and all(map(is_, logs.values(), self._values))
            and all(map(is_, logs, self._keys))
        )

    def _look(self, logs: Any) -> bool:
        """Record logs where they have changed; whether the objects in them will tell when they do so again."""
        if type(logs) is dict:
            shape = self._shapes.get(len(logs))
            operands = shape.operands(logs) if shape is not None else None
            if shape is None or operands is None:
                if not logs and self._last is None and not self._described:
                    return False
                plain = self._inspector.plain(logs)
                shape = _Shape(logs, *plain) if plain is not None else None
                operands = shape.operands(logs) if shape is not None else None
            if shape is not None and operands is not None:
                self._shapes[len(logs)] = shape
                has_changed = self._last is None or not _are_equal(self._last, logs)
                self._last, self._described = dict(logs), ()
                if has_changed:
                    self.record((self._inspector.state_head, *operands))
                return True
        described = self._inspector.describe(logs)
        if described != self._described:
            self._last, self._described = None, described
            self.record((self._inspector.state_head, *described))
        return False

    def _watch(self, owner: object) -> bool:
        """Record what `stop_training` has become; whether a look was needed."""
        if owner is self._owner and self._attributes.get("stop_training") is self._stopping:
            return False
        attributes = self._attributes if owner is self._owner else self._inspector.attributes(owner)
        stopping = attributes.get("stop_training")
        record = self._inspector.stop(attributes)
        # Only now: where a signal handler raises before, it is looked at again the next time.
        self._owner, self._attributes, self._stopping = owner, attributes, stopping
        if record is not None:
            self.record(record)
        return True
