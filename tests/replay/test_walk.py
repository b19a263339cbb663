"""The statements that a walk gives are those that `sys.settrace` sees, whatever ways a function has."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from owning import Owning

from fittrace.capture.instrument.install import install
from fittrace.capture.instrument.main_thread import owned
from fittrace.capture.sites import Site as Made
from fittrace.engines import CallbackLists, Calls, Engine, Function, Loop, Phase
from fittrace.replay.flow_graph import FlowGraph, FlowNode
from fittrace.replay.walk import RecordedProgram, Walk, WalkSite
from fittrace.schema.record_kinds import KINDS

from .oracle import Oracle

PHASES = (Phase("function", Calls("work"), optional=True), Phase(None, Calls("inner", "helper"), optional=True))
LOOPS = (
    Loop("epoch", target="epoch", number=("epoch",)),
    Loop("batch", target="batch", number=("batch",)),
    Loop("batch", target="step", number=("step",), header="slice"),
)


def table(*names: str) -> Engine:
    functions: list[Function | CallbackLists] = [
        Function("walked", "fit", phase="fit", stage="train", root=True, before="prepare", after="stop",
                 loops=LOOPS, phases=PHASES, optional=True),
        Function("walked", "inner", phase="fit", loops=LOOPS, phases=PHASES, optional=True),
        Function("walked", "helper", phase="function", phases=PHASES, optional=True),
        Function("walked", "items", optional=True),
        CallbackLists("walked", "Hooks", optional=True),
    ]  # fmt: skip
    return Engine("walked", "walked", "walked", ("1",), tuple(functions))


class Tape(Owning):
    """A recorder that keeps the records of one thread as they are."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.step = self.numbers.append
        self.sampler = None  # nothing is sampled here

    def record(self, parts: tuple[Any, ...]) -> None:
        self.numbers.extend(part if type(part) is int else 0 for part in parts)

    def mark(self, head: int, *operands: Any) -> None:
        self.record((head, 0, *operands))

    def enter(self, head: int, *_: Any) -> None:
        pass

    def leave_root(self, head: int) -> None:
        self.mark(head)

    def unwind_root(self, head: int) -> None:
        self.unwind(head)

    def unwind(self, head: int) -> None:
        self.record((head, 0, 0, sys.exc_info()[2].tb_lineno))  # type: ignore[union-attr]

    def raised(self, head: int) -> None:
        if sys.exc_info()[0] is not GeneratorExit:
            self.record((head, sys.exc_info()[2].tb_lineno))  # type: ignore[union-attr]

    def hooks(self, head: int, *_: Any) -> None:
        self.record((head, 0, 0, 0))

    def hook(self, head: int, *_: Any) -> None:
        self.record((head, 0, 0, 0))

    def hooked(self, head: int, *_: Any) -> None:
        self.record((head, 0))

    hooked_last = hooked_of_owner = hooked

    def named(self, head: int, *_: Any) -> None:
        pass

    sizes = values = arguments = named


def tokens(numbers: list[int], sites: list[Made]) -> list[int]:
    found = []
    for index, number in enumerate(numbers):
        if number < 0:
            site = sites[-number - 1]
            found.append(site.number)
            operands = KINDS[site.kind].operands
            if "line" in operands:
                found.append(-numbers[index + 1 + operands.index("line")])
    return found


class Walked:
    """A module whose functions record, run beside the oracle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, source: str, run: Callable[[ModuleType], Any]) -> tuple[list[Any], list[Any]]:
        """What the walk gives of `run`, and what the oracle saw of it."""
        (self.folder / "walked.py").write_text(dedent(source))
        sys.modules.pop("walked", None)
        importlib.invalidate_caches()
        module = importlib.import_module("walked")
        plain = self._seen(module, run)
        sites: list[Made] = []
        tape = Tape()
        outcome = install(module, table(), owned(tape), sites)
        assert not [one for one in outcome.missing if "control flow" in one]
        self._attempt(module, run)
        graphs: list[FlowGraph] = []
        placed: dict[int, tuple[int | None, int | None]] = {}
        for number, drawn in enumerate(outcome.graphs):
            nodes = [FlowNode(n.line, n.end_line, None if n.site < 0 else n.site, *n[3:]) for n in drawn.nodes]
            graphs.append(FlowGraph(drawn.name, outcome.file, drawn.line, nodes))
            placed |= {node.site: (number, place) for place, node in enumerate(nodes) if node.site is not None}
        known = {
            s.number: WalkSite(s.kind, *placed.get(s.number, (None, None)), s.line, s.depth, s.phases, s.fence)
            for s in sites
        }
        walk = Walk(RecordedProgram(graphs, known))
        walk.records(tokens(tape.numbers, sites))
        told = [
            "?"
            if v.function is None or v.node is None
            else (graphs[v.function].name, graphs[v.function].nodes[v.node].line)
            for v in walk.visits
        ]
        return told, plain

    def _seen(self, module: ModuleType, run: Callable[[ModuleType], Any]) -> list[Any]:
        source = Path(str(module.__file__)).read_text()
        functions: dict[str, Any] = {}
        for thing in vars(module).values():
            if isinstance(thing, type):
                functions |= {f"{thing.__name__}.{k}": v for k, v in vars(thing).items() if hasattr(v, "__code__")}
            elif hasattr(thing, "__code__"):
                functions[thing.__name__] = thing
        recorded = {f.name for f in table().functions}
        names = {
            name: function.__code__.co_firstlineno
            for name, function in functions.items()
            if name in recorded or (name.startswith("Hooks.") and "on_" in name)
        }
        with Oracle({str(module.__file__): (source, names)}) as oracle:
            self._attempt(module, run)
        return oracle.seen

    @staticmethod
    def _attempt(module: ModuleType, run: Callable[[ModuleType], Any]) -> None:
        with contextlib.suppress(ValueError, KeyError, StopIteration):
            run(module)


@pytest.fixture
def walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walked:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return Walked(tmp_path)


BRANCHES = """
def work(x):
    return x

def fit(a, b=0, fail=None):
    "Trains."
    total = 0
    if a:
        total += 1
    elif b:
        total += 2
        if b > 1:
            total = work(total)
    else:
        total += 3
    for epoch in range(2):
        if b: total += 4
        for batch in range(a):
            if batch == fail:
                continue
            if batch > 3: break
            if (
                a
                and b
            ):
                total += work(
                    batch
                )
            elif a:
                work(1)
            try:
                if batch == 1 and fail == 1.5:
                    raise KeyError(batch)
                work(2)
            except KeyError:
                total += 5
            else:
                total += 6
            for x in range(batch):
                total += x
        else:
            total += 7
        while total > 50:
            total -= 25
            if total > 60:
                continue
            total -= 1
    if fail == 9:
        raise ValueError("asked")
    with open(__file__) as file:
        total += len(file.readline())
    return total
"""


@pytest.mark.parametrize("a", [0, 1, 3, 6])
@pytest.mark.parametrize("b", [0, 1, 2])
@pytest.mark.parametrize("fail", [None, 0, 1, 1.5, 9])
def test_branches_and_loops(walked: Walked, a: int, b: int, fail: Any) -> None:
    told, seen = walked(BRANCHES, lambda module: module.fit(a, b, fail))
    assert told == seen
    assert len(told) > 8


CALLS = """
def inner(x):
    return x

def helper(a, b):
    if a:
        if b == 1:
            return inner(b)
        if b == 2:
            return inner(
                a
            )
        b += 1
    elif b:
        return inner(a)
    else:
        b = 4
    return inner(b)

def fit(a, b):
    helper(a, b)
    return a
"""


@pytest.mark.parametrize("a", [0, 1])
@pytest.mark.parametrize("b", [0, 1, 2, 3])
def test_one_function_is_called_in_several_arms(walked: Walked, a: int, b: int) -> None:
    told, seen = walked(CALLS, lambda module: module.fit(a, b))
    assert told == seen


EXCEPTIONS = """
from contextlib import contextmanager

@contextmanager
def swallow(kind):
    try:
        yield
    except kind:
        pass

def work(x, fail=False):
    if fail:
        raise ValueError(x)

def helper(x):
    try:
        if x == 1:
            return work(x)
        work(x, x == 2)
        work(x)
    except ValueError as error:
        if x == 3:
            work(1)
        if x == 2:
            raise
        raise KeyError(x) from error
    finally:
        work(3)
        x = x + 1
    return x

def inner(x, kind=ValueError):
    with swallow(kind):
        work(0)
        if x > 4:
            work(x, fail=True)
        work(1)
    for batch in range(3):
        with swallow(kind):
            if batch == x:
                break
            work(batch, batch == x - 4)
        work(4)
    return x

def fit(x, kind=ValueError):
    a = inner(x, kind)
    try:
        helper(x)
        helper(x + 1)
    except (KeyError, TypeError):
        a = 0
    except ValueError:
        a = 1
    finally:
        a += 1
    assert a
    return a
"""


@pytest.mark.parametrize("x", range(8))
@pytest.mark.parametrize("kind", [ValueError, KeyError])
def test_exceptions(walked: Walked, x: int, kind: type) -> None:
    told, seen = walked(EXCEPTIONS, lambda module: module.fit(x, kind))
    assert told == seen


GENERATORS = """
def work(x):
    return x

def items(count, odd):
    for x in range(count):
        if x == odd:
            y = iter([x])
            yield x
            continue
        yield x, x
        x += 1
    work(count)
    yield (
        1
    )

class Hooks:
    def __init__(self, callbacks):
        self.callbacks = callbacks
        self.fast = True

    def on_begin(self, logs=None):
        if self.fast:
            self._on_begin(logs)
        else:
            self._on_end(logs)

    def _on_begin(self, logs=None):
        logs = logs or {}
        for callback in self.callbacks:
            callback.on_begin(logs)

    def _on_end(self, logs=None):
        for callback in self.callbacks:
            callback.on_end(logs)
        if self.callbacks:
            return 1

    def on_begin_too(self):
        return self._on_begin()

class One:
    def on_begin(self, logs): pass
    def on_end(self, logs): inner(Hooks([]), 0)

def inner(hooks, count):
    hooks.on_begin()
    hooks._on_end()
    for step in items(count, 1):
        hooks.fast = not hooks.fast
        hooks.on_begin({})
        if hooks.on_begin_too() or step == (3, 3):
            break

def fit(count):
    hooks = Hooks([One()] * (count % 3))
    inner(hooks, count)
    for x in items(count, 0):
        if x == (2, 2):
            break
    return work(
        list(items(count, 7))
    )
"""


@pytest.mark.parametrize("count", range(6))
def test_generators_hooks_and_calls_in_calls(walked: Walked, count: int) -> None:
    told, seen = walked(GENERATORS, lambda module: module.fit(count))
    assert told == seen
