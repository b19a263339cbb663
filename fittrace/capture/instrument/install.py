"""Installing: puts the rewritten code into functions that exist already.

A function keeps its identity, its name, its wrappers and its closure. Only its `__code__` is replaced, and
`Installed.undo` puts the original back. So it makes no difference whether the engine was imported before or after.
"""

from __future__ import annotations

import types
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ...engines import Engine, Function
from ...schema.capture_settings import NO_MEMORY
from ..sites import Site, maker
from .rewrite import Rewritten, rewrite, with_constants
from .statement_graph import StatementNode


class Installed(NamedTuple):
    """A function that got rewritten code.

    - `function`: the function.
    - `original`: the code that it had before.
    - `probed`: the code that records.
    - `template`: that code with its placeholders, from which `with_constants` makes `probed`.
    """

    function: Any
    original: types.CodeType
    probed: types.CodeType
    template: types.CodeType

    def undo(self) -> None:
        """Give the function its original code back, unless somebody else has replaced the code since."""
        if self.function.__code__ is self.probed:
            self.function.__code__ = self.original

    def redo(self) -> None:
        """Let the function record again, unless somebody else has replaced its code since `undo`."""
        if self.function.__code__ is self.original:
            self.function.__code__ = self.probed

    def with_constants(self, constants: Mapping[str, object]) -> "Installed":
        """The same with other constants. A function that records now uses them at once."""
        renewed = self._replace(probed=with_constants(self.template, constants))
        if self.function.__code__ is self.probed:
            self.function.__code__ = renewed.probed
        return renewed


class FunctionGraph(NamedTuple):
    """The statement graph of one function that records.

    - `name`: the function's qualified name.
    - `line`: its first line.
    - `nodes`: the nodes of its graph.
    """

    name: str
    line: int
    nodes: list[StatementNode]


class InstallOutcome(NamedTuple):
    """What became of the functions of one module.

    - `installed`: those that record now.
    - `has_root`: whether a method that trains is among them.
    - `missing`: what could not be found, or not be rewritten, in words for the user.
    - `file`: the module's file.
    - `source`: its source.
    - `graphs`: the graphs of the functions that record.
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
    memory: str = NO_MEMORY,
) -> InstallOutcome:
    """Make the functions of an engine that one module holds record.

    A function whose running code differs from its source is left alone.

    - `module`: the module.
    - `engine`: the engine.
    - `constants`: what takes the place of the placeholders in the code; `main_thread.owned` makes them.
    - `sites`: all sites of the process. New ones are appended.
    - `variables`: whether the functions also record what they assign.
    - `memory`: around which hooks the memory is read, as `Settings.memory`.
    """
    functions = [function for function in engine.functions if function.module == module.__name__]
    source = source_of(module)
    if source is None:
        return InstallOutcome([], False, ["the source of %s" % module.__name__])
    file = file_of(module)
    rewritten = rewrite(source, file, functions, maker(engine.name, sites), engine.entering, variables, memory)
    roots = [function.name for function in functions if isinstance(function, Function) and function.stage]
    running = {name: function_of(module, name) for name in rewritten.codes}
    return install_code(rewritten, running, constants, roots)._replace(file=file, source=source)


def install_code(
    rewritten: Rewritten,
    running: Mapping[str, "types.FunctionType | None"],
    constants: Mapping[str, object],
    roots: Sequence[str] = (),
) -> InstallOutcome:
    """Give functions the code that records, where their running code is what their source says.

    - `rewritten`: the code.
    - `running`: the functions by qualified name; None where there is none.
    - `constants`: what takes the place of the placeholders in the code.
    - `roots`: the names of the methods that train.
    """
    installed, has_root, missing, graphs = [], False, list(rewritten.missing), []
    for name, (plain, probed) in rewritten.codes.items():
        function = running[name]
        if function is None or not _is_same_code(function.__code__, plain):
            missing.append("%s as its source has it" % name)
            continue
        original, function.__code__ = function.__code__, with_constants(probed, constants)
        installed.append(Installed(function, original, function.__code__, probed))
        has_root = has_root or name in roots
        if name in rewritten.graphs:
            graphs.append(FunctionGraph(name, original.co_firstlineno, rewritten.graphs[name]))
    return InstallOutcome(installed, has_root, missing, graphs=graphs)


def source_of(module: types.ModuleType) -> str | None:
    """The source of a module; None where its loader has none."""
    try:
        return module.__loader__.get_source(module.__name__)  # type: ignore[union-attr, no-any-return]
    except (AttributeError, ImportError, OSError, SyntaxError):
        return None


def file_of(module: types.ModuleType) -> str:
    """A module's file as its functions name it, which is what tracebacks show."""
    for function in _functions(vars(module), module.__name__):
        return function.__code__.co_filename
    return module.__file__ or "<unknown>"


def _functions(namespace: dict[str, Any], module: str) -> Iterator[types.FunctionType]:
    """The functions of a module, and the methods of its classes, that no decorator has wrapped."""
    for value in list(namespace.values()):
        if isinstance(value, type) and value.__module__ == module:
            for method in _functions(vars(value), module):  # type: ignore[arg-type]
                yield method
        elif isinstance(value, types.FunctionType) and value.__module__ == module and not hasattr(value, "__wrapped__"):
            yield value


def function_of(module: types.ModuleType, name: str) -> types.FunctionType | None:
    """The function of that qualified name, without its decorators; None where there is none."""
    value: Any = module
    for part in name.split("."):
        value = vars(value).get(part) if isinstance(value, (type, types.ModuleType)) else None
    # A chain of decorators may be a circle; none is as long as this.
    for _ in range(16):
        if isinstance(value, types.FunctionType) and not hasattr(value, "__wrapped__"):
            return value
        value = getattr(value, "__wrapped__", None) or getattr(value, "__func__", None) or getattr(value, "fget", None)
    return None


def _is_same_code(running: types.CodeType, compiled: types.CodeType) -> bool:
    return (
        running.co_code == compiled.co_code
        and running.co_consts == compiled.co_consts
        and running.co_names == compiled.co_names
        and running.co_varnames == compiled.co_varnames
        and running.co_freevars == compiled.co_freevars
        and running.co_firstlineno == compiled.co_firstlineno
    )
