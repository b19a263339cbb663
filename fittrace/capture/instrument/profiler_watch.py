"""Watching TensorFlow's functions that take the profiler: fittrace gives way before the program takes it.

Each of these functions gets one more call at its begin. It keeps its identity, as an engine's functions do (see
`install`).
"""

from __future__ import annotations

import ast
import sys
import types
from typing import Callable

from ...engines.profiler_entries import WAYS, Way
from ..record.probe_constants import Constant
from ..sampling.profiler import Profiler
from . import syntax
from .import_hook import Finder
from .install import Installed, file_of, function_of, install_code, source_of
from .rewrite import beginning_with

_PROFILER = "fittrace: the profiler"
"""Placeholder for the profiler, a text constant. Compiled code gets the profiler itself in its place."""


class Watch:
    """Lets fittrace's use of the profiler give way to the program, from `install` to `undo`.

    - `profiler`: what gives way.
    - `fault`: takes what failed, and where.
    """

    def __init__(self, profiler: Profiler, fault: Callable[[str, BaseException], None]) -> None:
        self._constants = {_PROFILER: _ProfilerConstant(profiler)}
        self._fault = fault
        self._finder = Finder(sorted({way.module for way in WAYS}), self._loaded)
        # By the name of a module of TensorFlow's: the module, its functions that call `give_way`, and those that could
        # not be made to.
        self._known: dict[str, types.ModuleType] = {}
        self._installed: dict[str, list[Installed]] = {}
        self._missing: dict[str, list[str]] = {}

    def install(self) -> None:
        """Rewrite the modules that are imported already, and watch for the others. Also undoes `undo`."""
        self._finder.install()
        for installed in self._all():
            installed.redo()
        for way in WAYS:
            module = sys.modules.get(way.module)
            if module is not None and self._known.get(way.module) is not module:
                self._loaded(module)

    def undo(self) -> None:
        """Give TensorFlow's functions their own code back."""
        self._finder.remove()
        for installed in self._all():
            installed.undo()

    def unseen(self) -> str | None:
        """The functions by which the program may take the profiler unseen, in one text; None where there are none."""
        functions = self._all()
        changed = [
            watched.function.__qualname__ for watched in functions if watched.function.__code__ is not watched.probed
        ]
        unseen = [name for missing in self._missing.values() for name in missing] + changed
        return ", ".join(unseen) or None

    def _all(self) -> "list[Installed]":
        return [installed for of_module in self._installed.values() for installed in of_module]

    def _loaded(self, module: types.ModuleType) -> None:
        """Rewrite the functions of a module that has been executed."""
        self._known[module.__name__] = module
        ways = {way.name: way for way in WAYS if way.module == module.__name__}
        # All are missing until the module is done: anything below may raise.
        self._missing[module.__name__] = [str(way) for way in ways.values()]
        try:
            source = source_of(module)
            if source is None:
                return
            calls = {name: _call(way) for name, way in ways.items()}
            rewritten = beginning_with(source, file_of(module), calls)
            running = {name: function_of(module, name) for name in rewritten.codes}
            outcome = install_code(rewritten, running, self._constants)
            self._installed[module.__name__] = outcome.installed
            watched = {installed.function for installed in outcome.installed}
            self._missing[module.__name__] = [
                str(way)
                for way in ways.values()
                if running.get(way.name) not in watched and not (way.optional and way.name not in rewritten.codes)
            ]
        except Exception as error:
            self._fault("watching %s" % module.__name__, error)


class _ProfilerConstant(Constant):
    """The profiler as a constant of code. In a process to which the code was sent it is empty bytes."""

    __slots__ = ("profiler",)

    def __init__(self, profiler: Profiler) -> None:
        self.profiler = profiler

    def __contains__(self, _: object) -> bool:
        return True


def _call(way: Way) -> ast.expr:
    """The expression `0 in constant and constant.profiler.give_way(way)`. Where the constant is `b""` it is False."""
    method = "give_way" if way.options is None else "give_way_if_traced"
    options = [] if way.options is None else [syntax.name(way.options)]
    is_here = ast.Compare(syntax.constant(0), [ast.In()], [syntax.constant(_PROFILER)])
    profiler = ast.Attribute(syntax.constant(_PROFILER), "profiler", ast.Load())
    function = ast.Attribute(profiler, method, ast.Load())
    return ast.BoolOp(ast.And(), [is_here, ast.Call(function, [syntax.constant(str(way)), *options], [])])
