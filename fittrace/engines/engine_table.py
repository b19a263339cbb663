"""The entries of an engine table."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Iterator, Union

from .session_calls import Cached, SessionRun


@dataclass(frozen=True)
class _Names:
    """The base of the matchers, which know a statement by names in it.

    - `names`: the statement must have at least one of these names.
    """

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)  # the dataclass is frozen

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` matches."""
        raise NotImplementedError


class Calls(_Names):
    """Matches a simple statement that calls a function or method with one of the names, or a `try` around one.

    >>> Calls("train_function").matches(ast.parse("logs = self.train_function(iterator)").body[0])
    True
    """

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` matches."""
        # An engine may call in a `try` to handle the end of the data. The whole `try` is the statement then.
        if isinstance(statement, ast.Try):
            inside = [child for outer in statement.body for child in ast.walk(outer) if isinstance(child, ast.stmt)]
            return any(_is_simple(child) and self.matches(child) for child in inside)
        return _is_simple(statement) and any(
            isinstance(node, ast.Call) and callee(node) in self.names for node in walk_without_functions(statement)
        )

    def __str__(self) -> str:
        return "a call of " + " or ".join(self.names)


class Assigns(_Names):
    """Matches an assignment to a variable or attribute with one of the names.

    >>> Assigns("history").matches(ast.parse("model.history = History()").body[0])
    True
    """

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` matches."""
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        # The first name is that of the target itself: `history` of `model.history`, where `model` is the second.
        return any(name in self.names for target in targets for name in mentioned(target)[:1])

    def __str__(self) -> str:
        return "an assignment to " + " or ".join(self.names)


class Tests(_Names):
    """Matches an `if` whose test has one of the names.

    >>> Tests("validation_data").matches(ast.parse("if validation_data is not None: pass").body[0])
    True
    """

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` matches."""
        return isinstance(statement, ast.If) and any(name in self.names for name in mentioned(statement.test))

    def __str__(self) -> str:
        return "an if on " + " or ".join(self.names)


class Over(_Names):
    """Matches a `for` loop whose iterable has one of the names, and whose turns have no spans (see `Loop`).

    >>> Over("out_labels").matches(ast.parse("for l, o in zip(out_labels, outs): pass").body[0])
    True
    """

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` matches."""
        return isinstance(statement, ast.For) and any(name in self.names for name in mentioned(statement.iter))

    def __str__(self) -> str:
        return "a loop over " + " or ".join(self.names)


Where = Union[Calls, Assigns, Tests, Over]
"""A matcher of statements."""


@dataclass(frozen=True)
class Phase:
    """A statement that is a phase.

    - `phase`: the phase. None takes the statement out of the phases `before` and `after` of its function.
    - `where`: matches the statement.
    - `inside`: only in the loops of these phases; anywhere if empty.
    - `name`: the name of the span; else the name of the matched call, else the phase.
    - `taken`: for an `if`: only its body is the phase, not its test or its `else`.
    - `optional`: whether some versions lack the statement.
    - `sampled`: how the ops that it runs can be sampled: by a `profiler` around it, or in the call of a `session`
      inside it. None: not at all.
    """

    phase: str | None
    where: Where
    inside: tuple[str, ...] = ()
    name: str | None = None
    taken: bool = False
    optional: bool = False
    sampled: str | None = None


@dataclass(frozen=True)
class Loop:
    """A `for` or `while` loop whose turns are spans.

    A loop is matched by its loop variables and by what it iterates over. For a `while` loop, both are the names in its
    test.

    - `phase`: the phase of each turn: `epoch` or `batch`.
    - `target`: a name that the loop variables must have.
    - `over`: a name that the iterable must have.
    - `number`: names of the loop variable that counts the turns; the first that the loop has is taken. A loop with
      none of them does not match.
    - `last`: the loop variable with the last step of a turn, in engines that run several steps in one.
    - `bounds`: the loop variables with the position of the batch's first sample in the epoch's order, and the position
      after its last.
    - `order`: the array of sample indices in the epoch's order, from which the loop's first statement takes a part.
    - `alone_is_whole`: whether the engine ignores `order` if there is only one batch.
    - `guard`: a name in the test of an `if` at the beginning of the body that may leave the loop. A turn begins after
      that `if`.
    - `header`: the phase of fetching the next item, which is part of the turn. In a `while` loop, the first statement
      of the body does it, before the `guard`.
    - `sizes`: paths of attributes, starting at the iterated object, with the samples in a batch, the samples in a
      smaller last batch, the number of batches, and the steps that the user asked for. They are read without running
      code of the engine.
    - `steps`: the path of the attribute with the steps in a turn. With several steps and no `last`, the sizes of
      batches are unknown.
    - `optional`: whether some versions lack the loop.
    """

    phase: str
    target: str | None = None
    over: str | None = None
    number: tuple[str, ...] = ()
    last: str | None = None
    bounds: tuple[str, ...] = ()
    order: str | None = None
    alone_is_whole: bool = False
    guard: str | None = None
    header: str | None = None
    sizes: tuple[str, ...] = ()
    steps: str | None = None
    optional: bool = False

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` is this loop."""
        if not isinstance(statement, (ast.For, ast.While)):
            return False
        # Without a number for its turns, a loop over the same things is another one.
        if not any(name in loop_variables(statement) for name in self.number):
            return False
        if self.target is not None and self.target not in loop_variables(statement):
            return False
        over = statement.iter if isinstance(statement, ast.For) else statement.test
        return self.over is None or self.over in mentioned(over)

    def __str__(self) -> str:
        return "the loop over " + (self.over or self.target or "")


@dataclass(frozen=True)
class Function:
    """A function of the engine and the phases in it.

    - `module`: the module that defines it.
    - `name`: its qualified name.
    - `phase`: the phase of the whole call. None: only the statements of `phases` have spans.
    - `clocked`: whether each statement records its time, in a function without a `phase`.
    - `stage`: the stage of its batches (`train`, `test` or `predict`); None if it has that of its caller.
    - `root`: whether a call begins a fit of its own. During a validation it does not.
    - `before`, `after`: the phases of statements that no entry matches, before and after the first loop.
    - `turning`: from the first statement that one of these matches, its phase replaces `before`.
    - `loops`: the loops whose turns are spans.
    - `phases`: the statements that are phases. The first entry that matches counts.
    - `stage_in`: the variable with the stage, in a function for all stages.
    - `session`: the call of a TensorFlow 1 session in it.
    - `traces`: whether it traces a `tf.function`. Then only the call itself is recorded.
    - `optional`: whether some versions lack the function.
    """

    module: str
    name: str
    phase: str | None = None
    clocked: bool = False
    stage: str | None = None
    root: bool = False
    before: str | None = None
    turning: tuple[Phase, ...] = ()
    after: str | None = None
    loops: tuple[Loop, ...] = ()
    phases: tuple[Phase, ...] = ()
    stage_in: str | None = None
    session: Cached | SessionRun | None = None
    traces: bool = False
    optional: bool = False


@dataclass(frozen=True)
class CallbackLists:
    """A class that passes hooks on to callbacks.

    It stands for every method with a loop such as `for callback in self.callbacks: callback.on_epoch_end(...)`, or with
    `getattr(callback, hook_name)` in the loop.

    - `module`: the module that defines the class.
    - `name`: the name of the class.
    - `over`: the attribute with the callbacks.
    - `phases`: the statements in these methods that are phases. Methods whose names end with `_begin` are left out:
      their logs are empty.
    - `optional`: whether some versions lack the class.
    """

    module: str
    name: str
    over: str = "callbacks"
    phases: tuple[Phase, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Engine:
    """One engine.

    - `name`: its name in traces, such as `keras-3`.
    - `package`: the distribution whose version is the engine's.
    - `home`: a module that only this engine has. The engine is present once that module is imported.
    - `checked`: the versions on which the tests run.
    - `functions`: the functions and callback lists to record.
    """

    name: str
    package: str
    home: str
    checked: tuple[str, ...]
    functions: tuple[Union[Function, CallbackLists], ...] = field(default=())

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules of its functions, each once."""
        return tuple(dict.fromkeys(function.module for function in self.functions))

    @property
    def entering(self) -> "frozenset[str]":
        """The names by which recorded functions are called: a statement that calls one of them may run other probes."""
        names = [function.name.rpartition(".")[2] for function in self.functions]
        rules = [rule for function in self.functions for rule in function.phases]
        return frozenset(names).union(*[rule.where.names for rule in rules if isinstance(rule.where, Calls)])


def loop_variables(loop: ast.stmt) -> tuple[str, ...]:
    """The names in the target of a `for` loop, or in the test of a `while` loop.

    >>> loop_variables(ast.parse("while step < steps: pass").body[0])
    ('step', 'steps')
    """
    if isinstance(loop, ast.For):
        return mentioned(loop.target)
    return mentioned(loop.test) if isinstance(loop, ast.While) else ()


def _is_simple(statement: ast.AST) -> bool:
    simple = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Delete)
    return isinstance(statement, simple)


def callee(call: ast.Call) -> str | None:
    """The name of the called function or method: `fit` for `model.fit(x)`; None if it has none.

    >>> callee(ast.parse("model.fit(x)", mode="eval").body)
    'fit'
    """
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def mentioned(node: ast.AST) -> tuple[str, ...]:
    """The names and attribute names in an expression, in the order of `ast.walk`.

    >>> mentioned(ast.parse("self.stop_training", mode="eval").body)
    ('stop_training', 'self')
    """
    names = []
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            names.append(child.id)
        elif isinstance(child, ast.Attribute):
            names.append(child.attr)
    return tuple(names)


def walk_without_functions(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree, without those in nested functions and classes, which do not run with the statement."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            for inner in walk_without_functions(child):
                yield inner
