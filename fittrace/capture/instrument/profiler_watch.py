"""The watch over TensorFlow's profiler: the functions by which a program takes it let fittrace give it back first.

The functions keep their identity, as an engine's do (`install`); each begins with one call more.
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
from .install import Installed, exchange, file_of, function_of, source_of
from .rewrite import beginning_with

_PROFILER = "fittrace: the profiler"
"""Stands for the profiler in the source."""


class Watch:
    """Lets `profiler` give way to the program, from `install` to `undo`. `fault` takes what failed, and where."""

    def __init__(self, profiler: Profiler, fault: Callable[[str, BaseException], None]) -> None:
        self._constants = {_PROFILER: _ProfilerConstant(profiler)}
        self._fault = fault
        self._finder = Finder(sorted({way.module for way in WAYS}), self._loaded)
        self._known: dict[str, types.ModuleType] = {}
        self._installed: dict[str, list[Installed]] = {}
        self._missing: dict[str, list[str]] = {}

    def install(self) -> None:
        """Begin, or begin again after `undo`, with the modules that are there already."""
        self._finder.install()
        for installed in self._all():
            installed.redo()
        for way in WAYS:
            module = sys.modules.get(way.module)
            if module is not None and self._known.get(way.module) is not module:
                self._loaded(module)

    def undo(self) -> None:
        """Give TensorFlow its own code back."""
        self._finder.remove()
        for installed in self._all():
            installed.undo()

    def unseen(self) -> str | None:
        """The ways that the program may take without being seen, if there are some."""
        changed = [each.function.__qualname__ for each in self._all() if each.function.__code__ is not each.probed]
        unseen = [what for missing in self._missing.values() for what in missing] + changed
        return ", ".join(unseen) or None

    def _all(self) -> "list[Installed]":
        return [installed for of_module in self._installed.values() for installed in of_module]

    def _loaded(self, module: types.ModuleType) -> None:
        self._known[module.__name__] = module
        ways = {way.name: way for way in WAYS if way.module == module.__name__}
        self._missing[module.__name__] = [str(way) for way in ways.values()]
        try:
            source = source_of(module)
            if source is None:
                return
            calls = {called: _call(way) for called, way in ways.items()}
            rewritten = beginning_with(source, file_of(module), calls)
            running = {called: function_of(module, called) for called in rewritten.codes}
            outcome = exchange(rewritten, running, self._constants)
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
    """The profiler, as a constant of code. Where the code has been sent elsewhere, it is no bytes."""

    __slots__ = ("profiler",)

    def __init__(self, profiler: Profiler) -> None:
        self.profiler = profiler

    def __contains__(self, _: object) -> bool:
        return True


def _call(way: Way) -> ast.expr:
    """`0 in constant and constant.profiler.give_way(way)`."""
    method = "give_way" if way.options is None else "give_way_if_traced"
    options = [] if way.options is None else [syntax.name(way.options)]
    is_here = ast.Compare(syntax.constant(0), [ast.In()], [syntax.constant(_PROFILER)])
    profiler = ast.Attribute(syntax.constant(_PROFILER), "profiler", ast.Load())
    function = ast.Attribute(profiler, method, ast.Load())
    return ast.BoolOp(ast.And(), [is_here, ast.Call(function, [syntax.constant(str(way)), *options], [])])
