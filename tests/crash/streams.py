"""Made-up engines at work: well-nested streams of records, as probes in random code would make them.

Each thread is a generator that stops after every record, so that threads interleave at random. Exceptions of the
made-up program are Python's own: they leave the frames that they would leave.
"""

from __future__ import annotations

import json
import struct
import zlib
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from fittrace.capture.journal.record_buffer import packed
from fittrace.capture.journal.sample_orders import pack
from fittrace.schema.caller_keys import CALLER_KEYS
from fittrace.schema.journal_format import ABSENT, EVENTS_HEAD, MAGIC, BlockKind, block

Record = tuple[int, ...]
Steps = Iterator[None]

PLAIN_PHASES = ("prepare", "configure_callbacks", "shuffle", "function", "logs", "to_dense", "stop", "slice")
HOOKS = ("on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_test_begin",
         "on_predict_end", "on_epoch_end")  # fmt: skip
METHODS = {"train": "fit", "test": "evaluate", "predict": "predict"}
CLOSERS = 16


class Failed(Exception):
    """An exception of the made-up program."""


@dataclass
class Shape:
    """How a made-up program behaves: likelihoods, and how much it does."""

    fits: int = 2
    epochs: int = 2
    batches: int = 3
    statements: int = 3
    failing: float = 0.02
    nesting: int = 2
    worker: bool = True
    states: float = 0.5
    running_out: float = 0.1
    late: bool = True
    "Whether a worker may begin hooks of a fit that is over. Where its end is lost they would be taken for its own."


class Program:
    """Runs random fits on threads of its own. `records` holds (thread, record) in the order of happening."""

    def __init__(self, random: Random, shape: Shape | None = None, threads: int = 1, longest: int = 400) -> None:
        self.random = random
        self.shape = shape or Shape()
        self.now = 1_000_000
        self.longest = longest
        self.definitions: list[dict[str, Any]] = []
        self.records: list[tuple[int, Record]] = []
        self._numbers: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._owners: set[int] = set()
        self._tasks: list[tuple[str, int, int, list[str]]] = []
        self.state = self.site("state", level=1)
        self.closers = [self.site("close", depth=depth, level=0) for depth in range(CLOSERS)]
        self.gap = self.site("gap", level=0)
        names = ["MainThread", "Thread-1", "Thread-2"][:threads]
        self.runs = [self.fits(number) for number in range(len(names))]
        if self.shape.worker:
            names.append("worker")
            self.runs.append(self.worker(len(names) - 1))
        self.threads = names
        for number, name in enumerate(names):
            self.definitions.append({"define": "thread", "thread": number, "name": name, "ident": 100 + number})
        self.definitions.append({"define": "engine", "engine": "toy", "version": "1.0"})

    def run(self) -> Program:
        """Let all threads run, in turns, to their end or until there are `longest` records."""
        live = list(range(len(self.runs)))
        while live and len(self.records) < self.longest:
            one = self.random.choice(live)
            try:
                for _ in range(self.random.randint(1, 8)):
                    next(self.runs[one])
            except StopIteration:
                live.remove(one)
            if self.shape.worker and live == [len(self.runs) - 1] and not self._tasks:
                break
        return self

    # Definitions

    def number(self, what: str, **facts: Any) -> int:
        key = json.dumps([what, facts], sort_keys=True)
        if key not in self._numbers:
            number = self._numbers[key] = self._counts.get(what, 0)
            self._counts[what] = number + 1
            self.definitions.append({"define": what, what: number, **facts})
        return self._numbers[key]

    def site(self, kind: str, **facts: Any) -> int:
        if "phases" in facts:
            facts.setdefault("names", list(facts["phases"]))
        facts.setdefault("level", 2)
        return self.number("site", kind=kind, file="toy.py", function="f", line=7, engine="toy", **facts)

    def text(self, value: str) -> int:
        return self.number("text", value=value)

    # Records

    def tick(self) -> int:
        self.now += self.random.choice((0, 1, 10, 250, 4000))
        return self.now

    def emit(self, thread: int, site: int, *operands: int) -> None:
        self.records.append((thread, (-site - 1, *operands)))

    def fails(self) -> None:
        if self.random.random() < self.shape.failing:
            raise Failed

    def frame(self, thread: int, level: int, body: Steps) -> Steps:
        """`body` between entering, which is recorded already, and leaving."""
        yield
        try:
            yield from body
        except Failed:
            text = self.text("Failed") if self.random.random() < 0.7 else ABSENT
            self.emit(thread, self.site("raise", level=level), self.tick(), text, ABSENT)
            yield
            raise
        self.emit(thread, self.site("leave", level=level), self.tick())
        yield

    # The program

    def fits(self, thread: int) -> Steps:
        for _ in range(self.random.randint(1, self.shape.fits)):
            with suppress(Failed):
                yield from self.some_call(thread, self.shape.nesting)

    def some_call(self, thread: int, deep: int) -> Steps:
        choice = self.random.random()
        if choice < 0.7:
            yield from self.root(thread, "train", deep)
        elif choice < 0.9:
            yield from self.root(thread, self.random.choice(("test", "predict")), deep)
        else:
            yield from self.helper(thread, deep)

    def root(self, thread: int, stage: str, deep: int) -> Steps:
        method = METHODS[stage]
        site = self.site("call", phases=[method], names=["Model." + method], stage=stage, root=True, level=0)
        owner = self.random.choice([one for one in range(7, 17) if one not in self._owners][:3])
        self._owners.add(owner)
        self.emit(thread, site, self.tick())
        try:
            yield from self.frame(thread, 0, self.root_body(thread, stage, deep, owner))
        finally:
            self._owners.remove(owner)  # it may be the identity of another list then

    def root_body(self, thread: int, stage: str, deep: int, owner: int) -> Steps:
        yield from self.caller(thread)
        yield from self.statements(thread, 1, stage, deep, owner)
        yield from self.hooks(thread, "on_train_begin", owner, deep)
        if stage == "train":
            first = self.random.choice((0, 0, 5))
            for epoch in range(first, first + self.random.randint(0, self.shape.epochs)):
                turn = self.site("turn", depth=1, phases=["epoch"], counts="epoch", level=0)
                self.emit(thread, turn, self.tick(), epoch, epoch, ABSENT, ABSENT)
                yield
                yield from self.statements(thread, 2, stage, deep, owner)
                yield from self.batches(thread, 2, stage, deep, owner)
                if self.random.random() < 0.4:
                    self.emit(thread, self.site("open", depth=2, phases=["validation"], level=0), self.tick())
                    yield
                    yield from self.root(thread, "test", deep)
                    # No engine calls hooks while it validates; a fit in such a hook would be taken for the validation.
                    yield from self.close(thread, 2, level=0)
                yield from self.hooks(thread, "on_epoch_end", owner, deep, epoch)
            yield from self.close(thread, 1, level=0)
        else:
            yield from self.batches(thread, 1, stage, deep, owner)
        yield from self.statements(thread, 1, stage, deep, owner)

    def caller(self, thread: int) -> Steps:
        """The arguments of a root, and the line of the program that called it."""
        site = self.site("values", level=1)
        self.emit(thread, site, self.number("keys", names=["x"], kinds="i"), self.random.choice((1, 2)))
        yield
        if self.random.random() < 0.7:
            keys = self.number("keys", names=list(CALLER_KEYS), kinds="tti")
            texts = self.text(self.random.choice(("train.py", "tune.py"))), self.text("main")
            self.emit(thread, site, keys, *texts, self.random.randint(1, 3))
            yield

    def statements(self, thread: int, depth: int, stage: str, deep: int, owner: int) -> Steps:
        """Some statements in a block with `depth` open spans: phases, hooks, helpers; what is open may stay so."""
        is_open = False
        for _ in range(self.random.randint(0, self.shape.statements)):
            self.fails()
            choice = self.random.random()
            if choice < 0.5:
                phase = self.random.choice(PLAIN_PHASES)
                self.emit(thread, self.site("open", depth=depth, phases=[phase]), self.tick())
                yield
                is_open = True
                if depth < 5 and self.random.random() < 0.3:
                    yield from self.statements(thread, depth + 1, stage, deep, owner)
            elif choice < 0.65 and is_open:
                yield from self.close(thread, depth)
                is_open = False
            elif choice < 0.85:
                yield from self.hooks(thread, self.random.choice(HOOKS), owner, deep, self.random.choice((None, 0, 3)))
            else:
                yield from self.helper(thread, deep)
        if is_open:
            yield from self.close(thread, depth)

    def close(self, thread: int, depth: int, level: int = 2) -> Steps:
        self.emit(thread, self.site("close", depth=depth, level=level), self.tick())
        yield

    def batches(self, thread: int, depth: int, stage: str, deep: int, owner: int) -> Steps:
        """A loop over batches, which fetches its items where it has a header."""
        each = self.random.choice((1, 1, 2))
        steps = each * self.random.randint(0, self.shape.batches)
        if self.random.random() < 0.7:
            whole, asked = self.random.choice((32, ABSENT)), self.random.choice((ABSENT, 2))
            count = self.random.choice((steps, max(steps - each + 1, 0), 0, ABSENT))
            operands = (whole, self.random.choice((0, 5)), count, asked)
            self.emit(thread, self.site("sizes", depth=depth, level=0), *operands)
            yield
        header = self.random.random() < 0.8
        fetch = self.site("open", depth=depth, phases=["batch", "slice"], level=1)
        if header:
            self.emit(thread, fetch, self.tick())
            yield
        elif self.random.random() < 0.7:
            yield from self.order(thread, depth)
        for step in range(0, steps, each):
            if header:
                if self.random.random() < 0.2:
                    yield from self.helper(thread, deep)
                turn = self.site("turn", depth=depth + 1, counts="batch", level=1)
            else:
                turn = self.site("turn", depth=depth, phases=["batch"], counts="batch", level=1)
            size, first = self.random.choice([ABSENT, 3, 16]), self.random.choice([ABSENT, 0, 5])
            self.emit(thread, turn, self.tick(), step, step + each - 1, size, first)
            yield
            if self.random.random() < self.shape.running_out:
                yield from self.no_data(thread, depth + 1, stage, deep, owner)
                break
            yield from self.statements(thread, depth + 1, stage, deep, owner)
            if self.shape.worker and self.random.random() < 0.3:
                self._tasks.append((f"on_{stage}_batch_end", owner, step + each - 1, ["loss"]))
            else:
                yield from self.hooks(thread, f"on_{stage}_batch_end", owner, deep, step + each - 1)
            if header:
                self.emit(thread, fetch, self.tick())
                yield
        yield from self.close(thread, depth, level=1)

    def no_data(self, thread: int, depth: int, stage: str, deep: int, owner: int) -> Steps:
        """A turn in which the data run out: an exception, which the loop's function catches, leaves what is open."""
        with suppress(Failed):
            yield from self.hooks(thread, f"on_{stage}_batch_begin", owner, deep)
            phase = self.random.choice(("function", "slice"))
            self.emit(thread, self.site("open", depth=depth, phases=[phase]), self.tick())
            yield
            yield from self.helper(thread, deep)

    def order(self, thread: int, depth: int) -> Steps:
        """The order of the samples in the batches to come, which may not be kept."""
        samples = list(range(self.random.choice((1, 3, 300))))
        self.random.shuffle(samples)
        number = ABSENT
        if self.random.random() < 0.9:
            samples = self.random.choice((samples, sorted(samples)))
            number = self.number("order", samples=samples, nth=len(self.records))
        self.emit(thread, self.site("order", depth=depth), number, len(samples))
        yield

    def helper(self, thread: int, deep: int) -> Steps:
        """A call of a function of the engine that is no root, such as an iterator that is made."""
        site = self.site("call", phases=["make_batches"], names=["Iterator.enumerate"], level=2)
        self.emit(thread, site, self.tick())
        yield from self.frame(thread, 2, self.statements(thread, 1, "train", 0, 1) if deep > 0 else iter(()))

    def hooks(self, thread: int, hook: str, owner: int, deep: int, number: int | None = None) -> Steps:
        counts = "epoch" if "epoch" in hook else "batch" if "batch" in hook else None
        facts = {"hook": hook, "level": 1, **({"counts": counts} if counts else {})}
        site = self.site("hooks", phases=["hooks"], names=["CallbackList." + hook], **facts)
        self.emit(thread, site, self.tick(), owner, ABSENT if number is None or counts is None else number)
        yield from self.frame(thread, 1, self.each_hook(thread, hook, facts, deep))

    def each_hook(self, thread: int, hook: str, facts: dict[str, Any], deep: int) -> Steps:
        if self.random.random() < 0.2:
            self.emit(thread, self.site("open", depth=1, phases=["logs"]), self.tick())
            yield
            yield from self.close(thread, 1)
        site = self.site("hook", depth=1, phases=["hooks"], names=[hook], **facts)
        for _ in range(self.random.randint(0, 3)):
            yield from self.logs(thread)
            yield from self.stop(thread)
            end = self.tick()
            kind = self.number("class", name=self.random.choice(("History", "Mine")), module="m")
            self.emit(thread, site, end, self.tick(), self.random.choice((kind, kind, ABSENT)))
            yield
            if deep > 0 and self.random.random() < 0.1:
                try:
                    yield from self.some_call(thread, deep - 1)
                except Failed:
                    if self.random.random() < 0.5:
                        raise
            self.fails()
        end = self.tick()
        yield from self.logs(thread)
        yield from self.stop(thread)
        self.emit(thread, self.site("hooked", depth=1, level=1), end)
        yield

    def stop(self, thread: int) -> Steps:
        """What `stop_training` has become, where a hook has changed it."""
        if self.random.random() < 0.1:
            self.emit(thread, self.site("stop", level=1), self.text(self.random.choice(("True", "False"))))
            yield

    def logs(self, thread: int) -> Steps:
        if self.random.random() > self.shape.states:
            return
        names = self.random.sample(("loss", "acc", "lr", "note", "size"), self.random.randint(0, 3))
        kinds, operands = "", []
        for name in names:
            if name == "note" or self.random.random() < 0.1:
                kinds += "t"
                operands.append(self.text(self.random.choice(("<Tensor>", "None"))))
            elif name == "size":
                kinds += "i"
                operands.append(self.random.choice((0, 32, (1 << 53) - 1)))
            else:
                kinds += "n"
                value = self.random.choice((0.0, 0.5, 1.0, float("nan"), -3.25))
                operands += struct.unpack("<2I", struct.pack("<d", value))
        self.emit(thread, self.state, self.number("keys", names=names, kinds=kinds), *operands)
        yield

    def worker(self, thread: int) -> Steps:
        """A thread that runs hooks for the others, a little later."""
        while True:
            if self._tasks:
                hook, owner, number, _ = self._tasks.pop(0)
                if owner not in self._owners and not self.shape.late:
                    continue
                with suppress(Failed):
                    yield from self.hooks(thread, hook, owner, 0, number)
            else:
                yield


# Journals

FACTS_OF = {
    "schema": 1, "pid": 11, "parent_pid": 10, "rank": None, "host": "host", "python": "3.11.0",
    "executable": "/usr/bin/python3", "argv": ["toy.py"], "time_ns": 1_700_000_000_000_000_000, "clock_ns": 1_000_000,
}  # fmt: skip


def drains(random: Random, program: Program, count: int) -> list[dict[int, list[Record]]]:
    """The records of each thread in `count` pieces, as a collector takes them: one thread shortly after the other."""
    ends = [*sorted(random.randint(0, len(program.records)) for _ in range(count - 1)), len(program.records)]
    taken = dict.fromkeys(range(len(program.threads)), 0)
    pieces = []
    for end, following in zip(ends, [*ends[1:], ends[-1]]):
        piece = {}
        for thread in taken:
            end = min(end + random.choice((0, 0, 2)), following)
            records = [record for one, record in program.records[taken[thread] : end] if one == thread]
            taken[thread] = max(taken[thread], end)
            if records:
                piece[thread] = records
        pieces.append(piece)
    return pieces


def chunk(thread: int, number: int, records: list[Record]) -> bytes:
    """A block of events, as what is compiled writes it, or as Python does: journals have some of each."""
    numbers = array("q", [item for record in records for item in record]).tobytes()
    data = packed(numbers) if number % 2 else None
    kind, data = (BlockKind.EVENTS, zlib.compress(numbers, 1)) if data is None else (BlockKind.PACKED, data)
    return block(kind, EVENTS_HEAD.pack(thread, number) + data)


def define(*definitions: dict[str, Any]) -> bytes:
    """A block of definitions."""
    return block(BlockKind.DEFINE, "\n".join(json.dumps(one) for one in definitions).encode())


def blocks_of(program: Program, pieces: list[dict[int, list[Record]]], closed: bool = False) -> list[bytes]:
    """The blocks of a journal, each definition in front of the first piece. The first block is `MAGIC`."""
    orders = [one for one in program.definitions if one["define"] == "order"]
    others = [one for one in program.definitions if one["define"] != "order"]
    found = [MAGIC, block(BlockKind.FACTS, json.dumps(FACTS_OF).encode()), define(*others)]
    for one in orders:
        samples = array("q", one["samples"])
        packed = pack(one["order"], len(samples), 8, b"" if one["samples"] == sorted(samples) else samples.tobytes())
        found.append(block(BlockKind.ORDER, packed))
    numbers = dict.fromkeys(range(len(program.threads)), 0)
    for piece in pieces:
        for thread, records in piece.items():
            found.append(chunk(thread, numbers[thread], records))
            numbers[thread] += 1
    return found + ([define({"define": "closed"})] if closed else [])
