"""Installing: gives functions that exist already the rewritten code, and their own code back.

A function keeps its identity, its name, its wrappers and its closure; only its `__code__` is exchanged, and put back
by `Installed.undo`. So it makes no difference whether the engine was imported before or after.
"""

from __future__ import annotations

import types
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ...engines import Engine, Function
from ..sites import Site, maker
from .rewrite import Rewritten, rewrite, with_constants
from .statement_graph import StatementNode


class Installed(NamedTuple):
    """One function that records.

    function: the function itself.
    original: the code that it had.
    probed: the code that records.
    template: the same code with texts in the place of its constants.
    """

    function: Any
    original: types.CodeType
    probed: types.CodeType
    template: types.CodeType

    def undo(self) -> None:
        """Give the function back its code, unless somebody else has changed it since."""
        if self.function.__code__ is self.probed:
            self.function.__code__ = self.original

    def redo(self) -> None:
        """Let the function record again, unless somebody else has changed it since `undo`."""
        if self.function.__code__ is self.original:
            self.function.__code__ = self.probed

    def with_constants(self, constants: Mapping[str, object]) -> "Installed":
        """The same with other constants, at once where the function records now."""
        renewed = self._replace(probed=with_constants(self.template, constants))
        if self.function.__code__ is self.probed:
            self.function.__code__ = renewed.probed
        return renewed


class FunctionGraph(NamedTuple):
    """The graph of one function that records: its qualified `name`, its first `line`, and its `nodes`."""

    name: str
    line: int
    nodes: list[StatementNode]


class InstallOutcome(NamedTuple):
    """What became of one module.

    installed: the functions that record now.
    has_root: whether a loop that trains is among them.
    missing: what was not found as the engine's table, or the source, has it.
    file: the module's file.
    source: the module's source.
    graphs: the graphs of the functions that record.
    """

    installed: list[Installed]
    has_root: bool
    missing: list[str]
    file: str = ""
    source: str = ""
    graphs: Sequence[FunctionGraph] = ()


def install(
    module: types.ModuleType,
    engine: Engine,
    constants: Mapping[str, object],
    sites: list[Site],
    variables: bool = False,
) -> InstallOutcome:
    """Make the functions of an engine in one module record.

    A function whose running code is not what its source says is left alone.

    constants: those of rewritten code, which `main_thread.owned` gives.
    sites: every site. New ones are appended.
    variables: whether the functions record what they assign, too.
    """
    functions = [function for function in engine.functions if function.module == module.__name__]
    source = source_of(module)
    if source is None:
        return InstallOutcome([], False, ["the source of %s" % module.__name__])
    file = file_of(module)
    rewritten = rewrite(source, file, functions, maker(engine.name, sites), engine.entering, variables)
    roots = [function.name for function in functions if isinstance(function, Function) and function.stage]
    running = {name: function_of(module, name) for name in rewritten.codes}
    return exchange(rewritten, running, constants, roots)._replace(file=file, source=source)


def exchange(
    rewritten: Rewritten,
    running: Mapping[str, "types.FunctionType | None"],
    constants: Mapping[str, object],
    roots: Sequence[str] = (),
) -> InstallOutcome:
    """Give functions the code that records, where the code that they run is what their source says.

    running: the functions by name; None for a name that the module does not have.
    roots: the names of those that train.
    """
    installed, has_root, missing, graphs = [], False, list(rewritten.missing), []
    for name, (plain, probed) in rewritten.codes.items():
        function = running[name]
        if function is None or not _same(function.__code__, plain):
            missing.append("%s as its source has it" % name)
            continue
        original, function.__code__ = function.__code__, with_constants(probed, constants)
        installed.append(Installed(function, original, function.__code__, probed))
        has_root = has_root or name in roots
        if name in rewritten.graphs:
            graphs.append(FunctionGraph(name, original.co_firstlineno, rewritten.graphs[name]))
    return InstallOutcome(installed, has_root, missing, graphs=graphs)


def source_of(module: types.ModuleType) -> str | None:
    """The source of a module; None where there is none."""
    try:
        return module.__loader__.get_source(module.__name__)  # type: ignore[union-attr, no-any-return]
    except (AttributeError, ImportError, OSError, SyntaxError):
        return None


def file_of(module: types.ModuleType) -> str:
    """A module's file, as its functions themselves name it, which tracebacks show."""
    for found in _functions(vars(module), module.__name__):
        return found.__code__.co_filename
    return module.__file__ or "<unknown>"


def _functions(namespace: dict[str, Any], module: str) -> Iterator[types.FunctionType]:
    for value in list(namespace.values()):
        if isinstance(value, type) and value.__module__ == module:
            for found in _functions(vars(value), module):  # type: ignore[arg-type]
                yield found
        elif isinstance(value, types.FunctionType) and value.__module__ == module and not hasattr(value, "__wrapped__"):
            yield value


def function_of(module: types.ModuleType, name: str) -> types.FunctionType | None:
    """The function of that qualified name, behind whatever decorators hold it."""
    thing: Any = module
    for part in name.split("."):
        thing = vars(thing).get(part) if isinstance(thing, (type, types.ModuleType)) else None
    for _ in range(16):
        if isinstance(thing, types.FunctionType) and not hasattr(thing, "__wrapped__"):
            return thing
        thing = getattr(thing, "__wrapped__", None) or getattr(thing, "__func__", None) or getattr(thing, "fget", None)
    return None


def _same(running: types.CodeType, compiled: types.CodeType) -> bool:
    return (
        running.co_code == compiled.co_code
        and running.co_consts == compiled.co_consts
        and running.co_names == compiled.co_names
        and running.co_varnames == compiled.co_varnames
        and running.co_freevars == compiled.co_freevars
        and running.co_firstlineno == compiled.co_firstlineno
    )
