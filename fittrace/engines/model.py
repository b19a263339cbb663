"""What an engine table is made of."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Iterator, Union


@dataclass(frozen=True)
class Calls:
    """Matches a simple statement that calls a function or method of one of these names.

    >>> Calls("train_function").matches(ast.parse("logs = self.train_function(iterator)").body[0])
    True
    """

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` is one."""
        if not isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Delete)):
            return False
        return any(
            isinstance(node, ast.Call) and callee(node) in self.names for node in walk_without_functions(statement)
        )

    def __str__(self) -> str:
        return "a call of " + " or ".join(self.names)


@dataclass(frozen=True)
class Tests:
    """Matches an `if` whose test mentions one of these names.

    >>> Tests("validation_data").matches(ast.parse("if validation_data is not None: pass").body[0])
    True
    """

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` is one."""
        return isinstance(statement, ast.If) and any(name in self.names for name in mentioned(statement.test))

    def __str__(self) -> str:
        return "an if on " + " or ".join(self.names)


@dataclass(frozen=True)
class Phase:
    """A statement is a phase: `phase` None means that it is none, whatever surrounds it.

    `inside` limits it to the body of the loop of that phase. `optional` is for what only some versions have.
    """

    phase: str | None
    where: Union[Calls, Tests]
    inside: str | None = None
    optional: bool = False


@dataclass(frozen=True)
class Loop:
    """A `for` loop each of whose turns is a `phase`.

    It is known by a name in its target (`target`) or in what it iterates over (`over`). `number` are the names, the
    first found of which counts the turns; `last` names the last number that a turn covers. `header` is the phase of
    fetching the next item, which belongs to the turn. `sizes` are instance attributes, from the object iterated
    over, that tell the samples in a batch, in a smaller last batch, the number of batches, and the steps that the user
    asked for; they are read without running code. `steps` is one more, the steps in a turn: where the loop does not
    tell the last of them and there are several, the sizes are not known.
    """

    phase: str
    target: str | None = None
    over: str | None = None
    number: tuple[str, ...] = ()
    last: str | None = None
    header: str | None = None
    sizes: tuple[str, ...] = ()
    steps: str | None = None

    def matches(self, statement: ast.stmt) -> bool:
        """Whether `statement` is this loop."""
        if not isinstance(statement, ast.For):
            return False
        if self.target is not None and self.target not in mentioned(statement.target):
            return False
        return self.over is None or self.over in mentioned(statement.iter)

    def __str__(self) -> str:
        return "the loop over " + (self.over or self.target or "")


@dataclass(frozen=True)
class Function:
    """A function of the engine, and the phases in it.

    `phase` is that of the whole call, or None when only the statements of `phases` count. `stage` says what its
    batches are; a function with a stage is a root: alone it begins a fit of its own. `before` and `after` are the
    phases of its outermost statements before and after its first loop.
    """

    module: str
    name: str
    phase: str | None = None
    stage: str | None = None
    before: str | None = None
    after: str | None = None
    loops: tuple[Loop, ...] = ()
    phases: tuple[Phase, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class CallbackLists:
    """Every method of a class that passes a hook on to its callbacks: `for callback in self.callbacks: callback.on_*`.

    `phases` are those of statements in such a method whose name ends with `_end`, where the logs have content.
    """

    module: str
    name: str
    over: str = "callbacks"
    phases: tuple[Phase, ...] = ()


@dataclass(frozen=True)
class Engine:
    """One engine: its name, the package that tells its version, the versions that it was checked on, its functions.

    A `family` of functions is a set of alternatives of which one must be there (a backend's trainer, say).
    """

    name: str
    package: str
    checked: tuple[str, ...]
    functions: tuple[Union[Function, CallbackLists], ...] = field(default=())

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that hold its functions."""
        return tuple(dict.fromkeys(function.module for function in self.functions))


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
