"""The import hook: notices when a module of an engine has been executed.

While the module executes, no frame of fittrace is on the stack. So tracebacks, `inspect.stack()` and `sys._getframe(1)`
are what they would be without it. The finder returns the real spec with a stand-in for its loader. What Python calls of
the stand-in is composed of functions in C, which have no frames. The spec's own loader is back before the module runs.
"""

from __future__ import annotations

import functools
import operator
import sys
import types
from typing import Any, Callable, Iterator, Sequence

Loaded = Callable[[types.ModuleType], None]


class Finder:
    """A finder on `sys.meta_path` that reports modules once they have been executed.

    - `names`: the full names of the modules.
    - `loaded`: called with each module.
    """

    def __init__(self, names: Sequence[str], loaded: Loaded) -> None:
        self._names: set[str] = set(names)
        self._loaded = loaded

    def install(self) -> None:
        """Begin to watch imports."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop watching."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The spec that the other finders make, with a loader that reports; None for a module that is not watched."""
        if name not in self._names:
            return None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None) if finder is not self else None
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                if spec.loader is not None:
                    _StandIn(spec, self._loaded, target)
                return spec
        return None


class _StandIn:
    """Takes the place of a spec's loader until the module is executed.

    Its `exec_module` or `load_module` is an attribute of the object: a function composed in C must know its argument
    in advance, which is the module or its name.

    - `spec`: the spec. The stand-in becomes its loader.
    - `loaded`: called with the module once it has been executed.
    - `module`: the module to execute anew, as `importlib.reload` does; None where it is yet to be created.
    """

    def __init__(self, spec: Any, loaded: Loaded, module: types.ModuleType | None) -> None:
        self._spec = spec
        self._loader = spec.loader
        self._loaded = loaded
        spec.loader = self
        if not hasattr(self._loader, "exec_module"):
            # An old loader, with `load_module` alone. Python warns of it by the name of its class.
            self.__qualname__ = type(self._loader).__qualname__
            self.load_module = self._reporting("load_module", spec.name)
            return
        self.create_module = self._create_module
        self.exec_module: Callable[[types.ModuleType], Any] = self._exec_module
        if module is not None:
            self.exec_module = self._reporting("exec_module", module)

    def _create_module(self, spec: Any) -> types.ModuleType:
        created: types.ModuleType | None = self._loader.create_module(spec)
        module = types.ModuleType(spec.name) if created is None else created
        # Whoever creates two modules of one spec may execute either of them.
        is_first = self.exec_module == self._exec_module
        self.exec_module = self._reporting("exec_module", module) if is_first else self._exec_module
        return module

    def _exec_module(self, module: types.ModuleType) -> None:
        """Execute a module that was not known in advance. This frame is on the stack meanwhile."""
        self._reporting("exec_module", module)(module)

    def _reporting(self, method: str, argument: Any) -> Callable[[Any], Any]:
        """A function in C that calls the loader's `method` with this `argument`, and reports afterwards.

        `reduce` takes the values of `map`. For a value, `map` resumes the generator, which yields the loader, and lets
        `methodcaller` call the loader's method. A generator that is suspended at a `yield` has no frame on the stack.
        """
        calls = map(operator.methodcaller(method, argument), self._around(argument))
        return functools.partial(functools.reduce, operator.is_, calls)

    def _around(self, argument: Any) -> Iterator[Any]:
        """Yield the loader, once. What is due before and after it executes the module stands around the `yield`."""
        module = argument if isinstance(argument, types.ModuleType) else None
        self._spec.loader = self._loader
        if module is not None:
            module.__loader__ = self._loader
            # `exec_module` refers to the generator and so to this object: a cycle that would keep the module until
            # Python collects garbage.
            self.exec_module = self._loader.exec_module
        yield self._loader
        module = sys.modules.get(argument) if module is None else module
        lazy = getattr(sys.modules.get("importlib.util"), "LazyLoader", None)
        if lazy is not None and isinstance(self._loader, lazy) and module is not None:
            # It is executed at its first use, and any look at it would be one. The stand-in waits for that.
            _StandIn(self._spec, self._loaded, module)
        elif module is not None:
            self._loaded(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
