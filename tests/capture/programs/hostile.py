"""Hands the compiled probes everything that a hostile or clumsy program can, and calls them again from within.

hostile.py [--native FILE] [--seed N] [--runs N]: FILE is what was compiled, if not what fittrace has. The same seed
gives the same runs. All is well when it ends: an error may come out of a probe, but none that Python calls its own.
"""

from __future__ import annotations

import argparse
import copy
import gc
import importlib.machinery
import importlib.util
import itertools
import marshal
import pickle
import random
import struct
import sys
import threading
import types
from array import array
from collections.abc import Callable, Iterator
from typing import Any

parser = argparse.ArgumentParser()
parser.add_argument("--native")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--runs", type=int, default=30)
given = parser.parse_args()

NAME = "fittrace.capture._native"
if given.native is not None:
    loader = importlib.machinery.ExtensionFileLoader(NAME, given.native)
    spec = importlib.util.spec_from_file_location(NAME, given.native, loader=loader)
    assert spec is not None
    sys.modules[NAME] = importlib.util.module_from_spec(spec)

import fittrace.capture  # noqa: E402, F401
from fittrace.capture.record.log_inspector import LogInspector  # noqa: E402
from fittrace.capture.record.names import Names  # noqa: E402
from fittrace.capture.record.observer import BATCH_FILTER  # noqa: E402

_native: Any = importlib.import_module(NAME)

ACTIONS = 200
"""In each run."""
DEEPEST = 2
"""Calls of probes within calls of probes."""
ASKED = ("plain", "describe", "attributes", "stop", "meet", "text", "fault", "error", "end_root")
OPERATORS = ("mark", "step", "leave_root", "begins", "is_here", "known")


class Interrupted(BaseException):
    """What no `except Exception` keeps."""


class Chance:
    """Draws, and runs the program's code in the middle of fittrace's."""

    def __init__(self) -> None:
        self.random = random.Random()
        self.depth = 0
        self.run: Run | None = None

    def begin(self, seed: int) -> None:
        """Draw what this seed gives, for the probes of a new run."""
        self.random.seed(seed)
        self.depth = 0
        self.run = None
        self.run = Run()

    def one(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def strike(self) -> None:
        """What the program does where it gets control: it calls probes, collects garbage, or raises."""
        drawn = self.random.random()
        if self.run is None:
            return
        if drawn < 0.1:
            raise self.one(ValueError("hostile"), Interrupted(), KeyboardInterrupt(), MemoryError(), RecursionError())
        if drawn < 0.2:
            gc.collect(0)
        elif drawn < 0.7 and self.depth < DEEPEST:
            self.depth += 1
            try:
                for _ in range(self.random.randrange(3)):
                    self.run.act()
            finally:
                self.depth -= 1


chance = Chance()


class Like:
    """Passes for a number, a text, a key and a sequence, and strikes whenever it is asked."""

    def __init__(self, text: str = "loss") -> None:
        self.text = text

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other: object) -> bool:
        chance.strike()
        return bool(chance.one(True, False))

    def __float__(self) -> float:
        chance.strike()
        return float(chance.one(1.5, float("nan"), -1.0))

    def __int__(self) -> int:
        chance.strike()
        return int(chance.one(3, -3, 1 << 70))

    __index__ = __int__

    def __len__(self) -> int:
        chance.strike()
        return int(chance.one(0, 3, 1 << 62))

    def __iter__(self) -> Iterator[Any]:
        for _ in range(3):
            chance.strike()
            yield chance.one(1, None, 1 << 80)

    def __neg__(self) -> Any:
        return self

    def __or__(self, other: object) -> Any:
        return NotImplemented


class Float(float):
    __eq__, __float__, __hash__ = Like.__eq__, Like.__float__, float.__hash__


class Int(int):
    __eq__, __float__, __int__, __index__ = Like.__eq__, Like.__float__, Like.__int__, Like.__int__
    __hash__ = int.__hash__


class Str(str):
    __eq__, __hash__ = Like.__eq__, str.__hash__


class Dict(dict[Any, Any]):
    __len__ = Like.__len__


class Tuple(tuple[Any, ...]):
    __len__, __iter__ = Like.__len__, Like.__iter__


class Meta(type):
    __eq__, __hash__ = Like.__eq__, type.__hash__


class Model(metaclass=Meta):
    """A model, a callback, or a list of them, whose end runs probes."""

    def __init__(self) -> None:
        self.model = self

    def __del__(self) -> None:
        chance.strike()


KEYS = ["loss", "acc", "stop_training", "size"]


def number() -> Any:
    return chance.one(
        0, 1, -1, 2**53, 2**62, 2**63 - 1, -(2**63), 2**64, -(2**70), True, Int(7), chance.random.random()
    )


PLAIN: tuple[object, ...] = (None, 1.5, float("nan"), -0.0, 10**400, "loss", "\ud800", "", b"bytes", ())
PLAIN += (object, NotImplemented, ..., Model)
MADE: tuple[Callable[[], object], ...] = (list, dict, Like, number, Model, threading.Lock, lambda: bytearray(8))
MADE += (lambda: array("q", [1]), lambda: {1: 2}, lambda: Like("stop_training"), lambda: Float(1), lambda: Int(2))
MADE += (lambda: Str("loss"), lambda: Dict(loss=1), lambda: Tuple((1, 2)), lambda: memoryview(b"x"), lambda: chance.run)


def thing() -> Any:
    """Anything."""
    return chance.one(*PLAIN) if chance.random.random() < 0.4 else chance.one(*MADE)()


def logs() -> dict[Any, Any]:
    made = {}
    for _ in range(chance.random.randrange(6)):
        made[chance.one(*KEYS, *KEYS, Str("acc"), Like(), 5)] = chance.one(0.5, 1.0, 2, True, 2**60, thing())
    return made


def answer(question: str) -> Any:
    """What the inspector is made to say."""
    kinds = "".join(chance.one("n", "i", "t", "?", "\x00") for _ in range(chance.random.randrange(6)))
    likely = {
        "plain": (chance.one(1, 1 << 70, None, Like()), chance.one(kinds, 5, Str(kinds))),
        "describe": tuple(number() for _ in range(chance.random.randrange(40))),
        "attributes": {chance.one("stop_training", Like("stop_training"), 3): thing()},
        "stop": (number(), number()),
    }
    return chance.one(thing(), likely.get(question, number()))


class Observing:
    """Is told of records, and strikes; what interests it changes its size meanwhile."""

    def __init__(self) -> None:
        self.interest = bytearray(chance.random.randbytes(8))
        self.batch_filter = bytearray(BATCH_FILTER.size)

    def observe(self, record: Any, entered: Any) -> None:
        self.interest += b"\x04" if chance.random.random() < 0.3 else b""
        if chance.random.random() < 0.2:
            del self.interest[:], self.batch_filter[chance.one(0, 1, 8) :]
        chance.strike()


class Run:
    """The probes of one thread, and a program that does everything with them."""

    def __init__(self) -> None:
        self.names = Names(lambda definition: None)
        self.inspector = self.new_inspector()
        counter = itertools.count(1)

        def striking() -> int:
            chance.strike()
            return next(counter)

        clocks = [lambda: next(counter), thing, number, striking]
        if chance.random.random() < 0.6:
            self.inspector.clock = chance.one(*clocks)
        self.buffer = _native.Buffer()
        self.probes = _native.Probes(self.inspector, self.buffer, chance.one(None, Observing()))
        self.operators = [self.probes.probe(chance.one(*OPERATORS), number()) for _ in range(3)]
        self.logs = [logs() for _ in range(3)]
        self.owners = [Model(), Model(), Like(), None]
        self.acts = [getattr(self, name) for name in dir(self) if name.startswith("do_")]

    def new_inspector(self) -> LogInspector:
        return LogInspector(self.names, lambda where, error: None, lambda kind: None, lambda frame: None, -1, -2)

    def act(self) -> None:
        """Do one thing, whatever comes of it but an error of Python's own."""
        act = chance.one(*self.acts)
        try:
            act()
        except SystemError:
            raise
        except (Exception, KeyboardInterrupt, Interrupted):
            pass

    def owner(self) -> Any:
        return chance.one(*self.owners)

    def some_logs(self) -> Any:
        return chance.one(*self.logs, thing())

    def do_hooks(self) -> None:
        self.probes.hooks(number(), self.owner(), thing())

    def do_hook(self) -> None:
        for _ in range(2):
            self.probes.hook(-3, self.owner(), chance.one(Model(), Like(), None), self.some_logs())

    def do_hooked(self) -> None:
        chance.one(self.probes.hooked, self.probes.hooked_last)(-4, self.owner(), self.some_logs())

    def do_mark(self) -> None:
        self.probes.mark(*[number() for _ in range(chance.random.randrange(20))])

    def do_record(self) -> None:
        self.probes.record(chance.one(thing(), tuple(thing() for _ in range(chance.random.randrange(40)))))

    def do_named(self) -> None:
        self.probes.named(number(), thing())

    def do_forget(self) -> None:
        self.probes.forget()

    def do_operator(self) -> None:
        probe = chance.one(*self.operators)
        chance.one(lambda: -probe, lambda: probe | thing(), lambda: thing() | probe, lambda: 0 in probe)()

    def do_bytes(self) -> None:
        """A probe is an array of bytes too, which nobody else needs to know."""
        probe = chance.one(*self.operators)
        acts = [lambda: probe.extend(b"bytes"), lambda: probe.append(1), probe.clear, lambda: memoryview(probe)[:0]]
        acts += [lambda: probe.__init__(b"bytes"), lambda: probe.__setstate__(thing()), lambda: probe + b"bytes"]
        acts += [lambda: marshal.dumps(probe), lambda: bytes(probe), lambda: probe == thing(), lambda: probe * 3]
        chance.one(*acts)()

    def do_leave(self) -> None:
        try:
            try:
                raise chance.one(ValueError("hostile"), KeyError(Like()), Interrupted(), GeneratorExit())
            except BaseException:
                chance.one(self.probes.unwind, self.probes.unwind_root, self.probes.raised)(number())
                raise
        except GeneratorExit:
            self.probes.raised(number())

    def do_unwind_nothing(self) -> None:
        chance.one(self.probes.unwind, self.probes.unwind_root, self.probes.leave_root, self.probes.raised)(thing())

    def do_green(self) -> None:
        self.probes.turn_green(chance.one(thing(), lambda: types.SimpleNamespace(parent=None), self.strikes_green))

    def strikes_green(self) -> Any:
        self.probes.turn_green(lambda: types.SimpleNamespace(parent=None))
        chance.strike()
        return chance.one(thing(), types.SimpleNamespace(parent=None))

    def do_new_operator(self) -> None:
        self.operators[chance.random.randrange(3)] = self.probes.probe(chance.one(*OPERATORS, ""), thing())

    def do_wrong(self) -> None:
        called = chance.one(
            "hook", "hooks", "hooked", "hooked_last", "named", "probe", "leave", "turn_green", "unwind", "raised"
        )
        getattr(self.probes, called)(*[thing() for _ in range(chance.random.randrange(6))])

    def do_make(self) -> None:
        kind = chance.one(_native.Buffer, _native.Probes, type(self.operators[0]))
        made = chance.one(kind, kind.__new__, object.__new__)(*[thing() for _ in range(chance.random.randrange(4))])
        _ = -made

    def do_copy(self) -> None:
        what = chance.one(self.buffer, self.probes, *self.operators)
        chance.one(copy.copy, copy.deepcopy, pickle.dumps, repr, hash, dir, len, gc.get_referents)(what)

    def do_logs(self) -> None:
        mine = chance.one(*self.logs)
        chance.one(mine.clear, lambda: mine.update(logs()), lambda: mine.pop(chance.one(*KEYS), None))()

    def do_stop(self) -> None:
        vars(self.owners[0])[chance.one("stop_training", Like("stop_training"))] = thing()

    def do_replace_owner(self) -> None:
        self.owners[chance.random.randrange(2)] = Model()

    def do_ask(self) -> None:
        question = chance.one(*ASKED)
        honest = getattr(self.new_inspector(), question)

        def asked(*arguments: Any) -> Any:
            chance.strike()
            return chance.one(answer(question), honest(*arguments))

        setattr(self.inspector, question, chance.one(honest, honest, asked))

    def do_buffer(self) -> None:
        buffer = self.buffer
        chance.one(buffer.append, buffer.extend, buffer.discard)(thing())
        chance.one(buffer.clear, buffer.take, buffer.take)()

    def do_pack(self) -> None:
        numbers = [chance.one(0, 5, 2**62 - 1, 2**62 - 2, -(2**62), 2**63 - 1, -(2**63)) for _ in range(9)]
        _native.packed(chance.one(struct.pack("9q", *numbers), b"odd", thing()))

    def do_pin(self) -> None:
        _native.pinned(chance.one(thing(), -1, 0, 1 << 20, 10**30))

    def do_pin_file(self) -> None:
        with open(__file__, "rb") as file:
            pinned = _native.pinned(file.fileno())
        del pinned

    def do_clock(self) -> None:
        chance.one(_native.now_ns, _native.wall_ns)(*[thing() for _ in range(chance.random.randrange(2))])

    def do_garbage(self) -> None:
        ring = [Model(), self.probes, self.operators[0], {}]
        ring.append(ring)


def collect(run: Run, done: threading.Event) -> None:
    """What the collector does, and a program's other thread."""
    while not done.is_set():
        run.buffer.take()
        len(run.buffer)


def main() -> None:
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    for turn in range(given.runs):
        chance.begin(1000 * given.seed + turn)
        run = chance.run
        assert run is not None
        done = threading.Event()
        threads = [threading.Thread(target=collect, args=(run, done))] if turn % 4 == 3 else []
        sys.setswitchinterval(1e-6 if threads else interval)
        gc.set_threshold(chance.one(1, 2, 700))
        for thread in threads:
            thread.start()
        try:
            for _ in range(ACTIONS):
                run.act()
        finally:
            done.set()
            for thread in threads:
                thread.join()
        gc.set_threshold(*thresholds)
        chance.run = None
        taken = run.buffer.take()
        assert type(taken) is array and len(run.buffer) == 0
        del run
    print(f"{given.runs} runs")


sys.unraisablehook = lambda unraisable: None
gc.freeze()  # so that a collection after every object takes no time
main()
