"""The traced engines of this process: those that are imported already, and those that come."""

from __future__ import annotations

import itertools
import sys
import types
from types import MappingProxyType
from typing import Any, Callable, Iterator, Mapping, Sequence

from ...engines import Engine
from ...schema.capture_settings import Settings
from ..isolation import original_threads
from ..sites import Site
from . import user_code
from .import_hook import Finder
from .install import Installed, InstallOutcome, install
from .main_thread import owned


class TracedEngines:
    """Makes the functions of engines record as soon as they exist, with the recorder that `record_with` was given.

    - `engines`: the engines to trace.
    - `sites`: every site, in the order of their numbers. New ones are appended.
    - `settings`: how much is recorded.
    - `define`: takes definitions for the journal.
    - `fault`: takes what failed, and where.
    - `awaited`: by the name of a further module, what is called with the module once it is imported.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        sites: list[Site],
        settings: Settings,
        define: Callable[[dict[str, Any]], None],
        fault: Callable[[str, BaseException], None],
        awaited: Mapping[str, Callable[[types.ModuleType], None]] = MappingProxyType({}),
    ) -> None:
        self._engines = engines
        self._by_module: dict[str, list[Engine]] = {}
        for engine in engines:
            for module in engine.modules:
                self._by_module.setdefault(module, []).append(engine)
        self._constants: Mapping[str, object] = {}
        self._sites = sites
        # What is recorded: values of all variables, the memory, and lines of the program's own functions.
        self._variables = settings.values == "all"
        self._memory = settings.memory
        self._meets = settings.lines == "callbacks"
        self._define = define
        self._fault = fault
        self._awaited = awaited
        self._finder = Finder((*self._by_module, *awaited), self._loaded)
        # Modules that have been executed, by name; those of an engine whose home has not, by the home's name; and the
        # engine that each is rewritten for, by the module's name.
        self._known: dict[str, types.ModuleType] = {}
        self._waiting: dict[str, list[types.ModuleType]] = {}
        self._holders: dict[str, Engine] = {}
        # By the name of an engine's home: what of it was not found, whether its training loop was, whether it is
        # defined in the journal.
        self._missing: dict[str, list[str]] = {}
        self._with_root: set[str] = set()
        self._told: set[str] = set()
        self._installed: list[Installed] = []
        # The program's own functions, by identity and, once they record, as installed; and the frames of the roots
        # that run, while which they record. The lock is for all of these.
        self._own: dict[int, types.FunctionType] = {}
        self._installed_own: list[Installed] = []
        self._roots: set[int] = set()
        self._meeting = original_threads.RLock()
        self._entering = frozenset(user_code.STEPS).union(*[engine.entering for engine in engines])
        # The numbers of the next function and source that are defined.
        self._functions = itertools.count()
        self._sources = itertools.count()

    def install(self) -> None:
        """Rewrite the engines that are imported already, and watch for the others. Also undoes `undo`."""
        self._finder.install()
        for installed in self._installed:
            installed.redo()
        for name in (*self._by_module, *self._awaited):
            module = sys.modules.get(name)
            if module is not None and self._known.get(name) is not module:
                self._loaded(module)

    def record_with(self, recorder: object) -> None:
        """Let the engines call this recorder from now on; the calling thread becomes its owner."""
        self._constants = owned(recorder)
        self._installed = [installed.with_constants(self._constants) for installed in self._installed]
        self._installed_own = [installed.with_constants(self._constants) for installed in self._installed_own]
        for name in self._awaited:
            if name in self._known:
                self._meet_awaited(self._known[name])

    def undo(self) -> None:
        """Give the engines their own code back."""
        self._finder.remove()
        self._roots.clear()
        for installed in self._installed + self._installed_own:
            installed.undo()

    def begin_root(self, frame: int) -> None:
        """Take note that a model's method begins to train, to evaluate or to predict, in the frame of that identity.

        While one is under way, the program's own functions record too.
        """
        try:
            if self._meets:
                with self._meeting:
                    self._roots.add(frame)
                    self._settle()
        except Exception as error:
            self._fault("letting the program's own code record", error)

    def end_root(self, frame: int) -> None:
        """Take note that it has ended; to do so again changes nothing.

        After the last of them the program, which may send its functions elsewhere, has them as they were.
        """
        try:
            if self._meets:
                with self._meeting:
                    self._roots.discard(frame)
                    self._settle()
        except Exception as error:
            self._fault("giving the program its own code back", error)

    def _settle(self) -> None:
        """Let the program's own functions record while a root runs. It may be called again where it was interrupted."""
        for installed in self._installed_own:
            if self._roots:
                installed.redo()
            else:
                installed.undo()

    def plain(self, function: Any) -> Any:
        """A function with the code that `function` had before it was made to record; itself where it was not."""
        for installed in self._installed:
            if installed.function is function and function.__code__ is installed.probed:
                facts = (function.__globals__, function.__name__, function.__defaults__, function.__closure__)
                return types.FunctionType(installed.original, *facts)
        return function

    def meet_callback(self, kind: type) -> None:
        """Make the hooks of a callback's class record, where those are asked for."""
        try:
            self._meet(user_code.hooks_of(kind))
        except Exception as error:
            self._fault("rewriting a callback", error)

    def meet_model(self, kind: type) -> None:
        """Make the steps of a model's class record, where those are asked for."""
        try:
            self._meet(user_code.steps_of(kind))
        except Exception as error:
            self._fault("rewriting a model", error)

    def _meet(self, functions: Iterator[types.FunctionType]) -> None:
        if not self._meets:
            return
        with self._meeting:  # two threads may meet one class
            new = [function for function in functions if id(function) not in self._own]
            try:
                self._record(new)
            except BaseException:
                # A signal handler may have raised: the next object of the class tries again.
                for function in new:
                    self._own.pop(id(function), None)
                raise
            finally:
                self._settle()

    def forked(self) -> None:
        """Make a new lock in a process that was forked off: a thread that is gone may hold the old one."""
        self._meeting = original_threads.RLock()

    def _record(self, new: list[types.FunctionType]) -> None:
        self._own.update((id(function), function) for function in new)
        for outcome in user_code.install_own(new, self._constants, self._sites, self._entering, self._variables):
            self._installed_own += outcome.installed
            self._define_source(user_code.ENGINE, outcome)
            for part in outcome.missing:
                message = "not found as its source has it, so its lines are not traced: %s" % part
                self._define({"define": "note", "kind": "engine", "message": "the program's own code: " + message})

    def define_engines(self, final: bool = False) -> None:
        """Define each traced engine in the journal, once its version is known, and note what of it is not traced.

        - `final`: whether no module comes any more. Then an engine whose training loop has not come is noted as one
          that fittrace does not know.
        """
        for engine in self._engines:
            ready = engine.home in self._with_root or (final and engine.home in self._missing)
            version = getattr(sys.modules.get(engine.package), "__version__", None)
            if engine.home not in sys.modules:
                continue
            if not ready or engine.home in self._told or not isinstance(version, str):
                continue
            self._told.add(engine.home)
            self._define({"define": "engine", "engine": engine.name, "version": version})
            message = self._message(engine, version)
            if message is not None:
                note = "%s %s (checked on %s): %s" % (engine.package, version, ", ".join(engine.checked), message)
                self._define({"define": "note", "kind": "engine", "message": note})

    def _message(self, engine: Engine, version: str) -> str | None:
        """What the user shall know of an engine's version; None where all is well."""
        missing = self._missing[engine.home]
        if engine.home not in self._with_root:
            return "no training loop that fittrace knows was imported (another backend?), so nothing of it is traced"
        if missing:
            return "not found in its source, so not traced: " + ", ".join(missing)
        if version.split(".")[:2] not in [known.split(".")[:2] for known in engine.checked]:
            return "this version was not checked, but all that fittrace looks for was found in it"
        return None

    def _loaded(self, module: types.ModuleType) -> None:
        """Take note of a module that has been executed. An engine is rewritten once its home has been, not before."""
        self._known[module.__name__] = module
        self._meet_awaited(module)
        for engine in self._by_module.get(module.__name__, ()):
            waiting = self._waiting.setdefault(engine.home, [])
            waiting.append(module)
            if module.__name__ == engine.home:
                self._missing[engine.home] = []
            if engine.home in self._missing:
                # A module leaves the list once it is rewritten: a signal handler may raise before.
                while waiting:
                    self._rewrite(waiting[0], engine)
                    del waiting[0]

    def _meet_awaited(self, module: types.ModuleType) -> None:
        meet = self._awaited.get(module.__name__)
        if meet is not None:
            try:
                meet(module)
            except Exception as error:
                self._fault("meeting %s" % module.__name__, error)

    def _rewrite(self, module: types.ModuleType, engine: Engine) -> None:
        missing = self._missing[engine.home]
        if self._holders.setdefault(module.__name__, engine) is not engine:
            return  # a module that two engines share is rewritten for the first of them
        try:
            outcome = install(module, engine, self._constants, self._sites, self._variables, self._memory)
        except Exception as error:
            self._fault("rewriting %s" % module.__name__, error)
            missing.append("all of %s" % module.__name__)
            return
        self._installed += outcome.installed
        self._define_source(engine.name, outcome)
        missing += outcome.missing
        if outcome.has_root:
            self._with_root.add(engine.home)

    def _define_source(self, engine: str, outcome: InstallOutcome) -> None:
        """Define a module's source in the journal, and the graphs of the functions that record."""
        source = next(self._sources)
        self._define({"define": "source", "source": source, "text": outcome.source})
        for graph in outcome.graphs:
            facts = {"engine": engine, "file": outcome.file, "source": source}
            facts.update(name=graph.name, line=graph.line, nodes=[tuple(node) for node in graph.nodes])
            self._define(dict(facts, define="function", function=next(self._functions)))
