"""What an engine table is made of."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Iterator, Union

from .session_calls import Cached, SessionRun


@dataclass(frozen=True)
class _Names:
    """A matcher of statements by names."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` is one."""
        raise NotImplementedError


class Calls(_Names):
    """Matches a simple statement that calls a function or method of one of these names, or a `try` around one.

    >>> Calls("train_function").matches(ast.parse("logs = self.train_function(iterator)").body[0])
    True
    """

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` is one."""
        if isinstance(statement, ast.Try):
            inside = [child for outer in statement.body for child in ast.walk(outer) if isinstance(child, ast.stmt)]
            return any(_is_simple(child) and self.matches(child) for child in inside)
        return _is_simple(statement) and any(
            isinstance(node, ast.Call) and callee(node) in self.names for node in walk_without_functions(statement)
        )

    def __str__(self) -> str:
        return "a call of " + " or ".join(self.names)


class Assigns(_Names):
    """Matches an assignment to a variable or attribute of one of these names.

    >>> Assigns("history").matches(ast.parse("model.history = History()").body[0])
    True
    """

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` is one."""
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        return any(name in self.names for target in targets for name in mentioned(target)[:1])

    def __str__(self) -> str:
        return "an assignment to " + " or ".join(self.names)


class Tests(_Names):
    """Matches an `if` whose test mentions one of these names.

    >>> Tests("validation_data").matches(ast.parse("if validation_data is not None: pass").body[0])
    True
    """

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` is one."""
        return isinstance(statement, ast.If) and any(name in self.names for name in mentioned(statement.test))

    def __str__(self) -> str:
        return "an if on " + " or ".join(self.names)


class Over(_Names):
    """Matches a `for` loop, which is no turn of anything, over something that mentions one of these names.

    >>> Over("out_labels").matches(ast.parse("for l, o in zip(out_labels, outs): pass").body[0])
    True
    """

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` is one."""
        return isinstance(statement, ast.For) and any(name in self.names for name in mentioned(statement.iter))

    def __str__(self) -> str:
        return "a loop over " + " or ".join(self.names)


Where = Union[Calls, Assigns, Tests, Over]


@dataclass(frozen=True)
class Phase:
    """A statement is a phase: `phase` None means that it is none, whatever surrounds it.

    `inside` limits it to the bodies of the loops of these phases. The span is called `name`, or after what is called,
    or after the phase. Of an `if` with `taken` only that is the phase which runs where its test holds. `optional` is
    for what only some versions have. `sampled` says how the ops can be had that the statement runs for a batch: by a
    `profiler` around it, or from the call of a `session` inside it.
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
    """A `for` or `while` loop each of whose turns is a `phase`.

    It is known by a name in its target (`target`) or in what it iterates over (`over`); of a `while` both are looked
    for in its test. `number` are the names, the first found of which counts the turns; `last` names the last number
    that a turn covers. `bounds` name the first sample of a batch and the one after its last, by their places in the
    `order`, the array of indices of which the loop's first statement takes some; with `alone_is_whole` a single batch
    has all samples as they stand, whatever the order says. With `guard`, a turn begins only after a first `if` that
    tests that name and may leave the loop. `header` is the phase of fetching the next item, which belongs to the turn;
    in a `while` loop the first statement does that, before the guard. `sizes` are instance attributes, from the object
    iterated over, that tell the samples in a batch, in a smaller last batch, the number of batches, and the steps that
    the user asked for; they are read without running code. `steps` is one more, the steps in a turn: where the loop
    does not tell the last of them and there are several, the sizes are not known. `optional` is for what only some
    versions have.
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
    """A function of the engine, and the phases in it.

    `phase` is that of the whole call, or None when only the statements of `phases` count. `stage` says what its
    batches are, where its caller does not; a `root` begins a fit of its own when no fit is validating. `before` and
    `after` are the phases of its outermost statements before and after its first loop; from the first statement that
    one of `turning` matches, its phase takes the place of `before`. With `clocked`, the statements of a
    function without a phase read the clock. Where it serves all stages, `stage_in` is the variable that tells which.
    `session` is its call of a session. `traces` says that it does nothing but trace a `tf.function`: of that only the
    moment counts.
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
    """Every method of a class that passes a hook on to its callbacks: `for callback in self.callbacks: callback.on_*`,
    or with the hook's name in a variable: `hook = getattr(callback, hook_name)`.

    `phases` are those of statements in such a method, unless its name ends with `_begin`, where the logs are empty.
    """

    module: str
    name: str
    over: str = "callbacks"
    phases: tuple[Phase, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Engine:
    """One engine: its name, the package that tells its version, the versions that it was checked on, its functions.

    It is there when its `home` has been imported, a module that no other engine has.
    """

    name: str
    package: str
    home: str
    checked: tuple[str, ...]
    functions: tuple[Union[Function, CallbackLists], ...] = field(default=())

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that hold its functions."""
        return tuple(dict.fromkeys(function.module for function in self.functions))

    @property
    def entering(self) -> "frozenset[str]":
        """The names under which its functions are called, as far as the table says."""
        names = [function.name.rpartition(".")[2] for function in self.functions]
        rules = [rule for function in self.functions for rule in function.phases]
        return frozenset(names).union(*[rule.where.names for rule in rules if isinstance(rule.where, Calls)])


def loop_variables(loop: ast.stmt) -> tuple[str, ...]:
    """The variables that a `for` loop sets, or that a `while` loop tests.

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
    """The last name of what is called: `fit` in `model.fit(x)`.

    >>> callee(ast.parse("model.fit(x)", mode="eval").body)
    'fit'
    """
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def mentioned(node: ast.AST) -> tuple[str, ...]:
    """The names and attribute names in an expression, in order of appearance in the tree.

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
    """Like `ast.walk`, but what a nested function or class would do when called is left out."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            for inner in walk_without_functions(child):
                yield inner
