"""Imports: notices when a module of an engine has been imported.

The finder stands aside as soon as it has found the real one: the module's spec and loader are as they would be.
"""

from __future__ import annotations

import sys
import types
from typing import Any, Callable, Sequence

Loaded = Callable[[types.ModuleType], None]


class Finder:
    """A finder on `sys.meta_path` that calls `loaded` with each module of `names` once it has been executed."""

    def __init__(self, names: Sequence[str], loaded: Loaded) -> None:
        self._names: set[str] = set(names)
        self._loaded = loaded

    def install(self) -> None:
        """Begin to watch."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Watch no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The spec that the other finders make, with a loader that reports."""
        if name not in self._names:
            return None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None) if finder is not self else None
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec, self._loaded)
                return spec
        return None


class _Loader:
    """Stands in for a loader until the module is executed."""

    def __init__(self, spec: Any, loaded: Loaded) -> None:
        self._spec = spec
        self._loader = spec.loader
        self._loaded = loaded

    def create_module(self, spec: Any) -> types.ModuleType | None:
        return self._loader.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: types.ModuleType) -> None:
        self._spec.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._loaded(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
