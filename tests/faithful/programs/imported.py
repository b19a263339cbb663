"""Imports an engine in many ways; its module of callbacks tells from where it is executed, and may fail at it."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import linecache
import os
import re
import shutil
import sys
import tempfile
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

ENGINE, NAME = sys.argv[1], "keras.src.callbacks.callback_list"
system: Any = sys
"""It has an attribute `seen`, into which the engine's module writes."""
LOOKS = """
import inspect as _inspect, sys as _sys, warnings as _warnings, sys
_sys.seen.append([(one.filename, one.function) for one in _inspect.stack(0)])
_sys.seen.append([type(__loader__).__name__, type(__spec__).__name__, __spec__.loader is __loader__])
_caller = _sys._getframe(1)
_sys.seen.append([_caller.f_code.co_filename, _caller.f_code.co_name])
_warnings.warn("old", DeprecationWarning, stacklevel=2)
"""
FAILS = {
    "raise": "\nraise ValueError('it fails')\n",
    "deep": "\ndef fails():\n    return 1 / 0\n\n\nfails()\n",
    "dependency": "\nimport a_dependency_that_is_not_here\n",
    "circular": "\nfrom keras.src.callbacks.callback_list import not_yet\n",
    "syntax": "\ndef (:\n",
    "exit": "\nraise SystemExit(3)\n",
}


def engine(more: str) -> str:
    """A folder with an engine whose module of callbacks has `more` at its end."""
    folder = tempfile.mkdtemp()
    shutil.copytree(ENGINE, os.path.join(folder, "engine"), ignore=shutil.ignore_patterns("__pycache__"))
    root = os.path.join(folder, "engine")
    with open(os.path.join(root, *NAME.split(".")) + ".py", "a") as file:
        file.write(more)
    return root


def forget() -> None:
    """Let the engine be imported anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "keras"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    linecache.clearcache()


def told(what: str, value: object) -> None:
    """Print something, without the folders and the addresses that differ from run to run."""
    text = value if isinstance(value, str) else repr(value)
    print("==", what, "==\n" + re.sub(r"0x[0-9a-f]+", "0x", re.sub(r"/[^'\"]*/engine", "ENGINE", text)))


def frames(error: BaseException | None) -> Iterator[tuple[Any, ...]]:
    """The places of an exception and of what caused it."""
    while error is not None:
        yield type(error).__name__, str(error)
        for frame, line in traceback.walk_tb(error.__traceback__):
            yield frame.f_code.co_filename, frame.f_code.co_name, line
        error = error.__cause__ or error.__context__


def imported(what: str, root: str, do: Callable[[], object]) -> None:
    """Do something that imports the engine in `root`, and tell all that came of it."""
    forget()
    system.seen = []
    sys.path.insert(0, root)
    meta_path = len(sys.meta_path)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = do()
    except BaseException as error:
        told(what, traceback.format_exc())
        told(what + ", walked", list(frames(error)))
        told(what + ", is left", NAME in sys.modules)
    else:
        told(what, result)
        told(what + ", trained", trained(sys.modules.get("keras")))
        told(what + ", warned", [(one.category.__name__, str(one.message), one.filename) for one in caught])
    told(what + ", seen", system.seen)
    told(what + ", finders", len(sys.meta_path) - meta_path)
    sys.path.remove(root)
    shutil.rmtree(os.path.dirname(root))


def trained(keras: Any) -> Any:
    """What a fit with a callback gives."""
    return None if keras is None else keras.Model().fit(2, callbacks=[keras.Callback()])


def loaded(name: str = NAME) -> list[Any]:
    """The module's loader and spec once it is imported."""
    module = importlib.import_module(name)
    spec: Any = module.__spec__
    loader = type(module.__loader__).__name__
    return [loader, module.__loader__ is spec.loader, type(module).__name__, repr(module), sorted(vars(spec))]


def reloaded() -> list[Any]:
    """The same after `importlib.reload`."""
    importlib.reload(importlib.import_module(NAME))
    return loaded()


def by_recipe() -> tuple[Any, ...]:
    """The recipe of Python's documentation for a lazy import."""
    spec: Any = importlib.util.find_spec(NAME)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    before = len(system.seen)
    return before, module.__name__, len(system.seen), loaded()


def by_hand() -> tuple[bool, bool]:
    """Two modules of one spec, the first of which is executed."""
    spec: Any = importlib.util.find_spec(NAME)
    first, second = importlib.util.module_from_spec(spec), importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(first)
    except Exception:
        told("by hand", traceback.format_exc())
    return "Callback" in vars(first), "Callback" in vars(second)


class Lazily:
    """A finder that lets every module of callbacks be loaded lazily."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        if name != NAME:
            return None
        spec: Any = importlib.machinery.PathFinder.find_spec(name, path, target)
        spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


def lazily() -> tuple[Any, ...]:
    """An import that a finder makes lazy."""
    sys.meta_path.insert(sys.meta_path.index(importlib.machinery.PathFinder), Lazily)
    try:
        spec = importlib.util.find_spec("keras")
        module = importlib.import_module(NAME)
        before = len(system.seen)
        about = type(module).__name__
        return spec is not None, before, about, module.CallbackList.__name__, len(system.seen), loaded()
    finally:
        sys.meta_path.remove(Lazily)


class Rewriting(importlib.machinery.SourceFileLoader):
    """A loader that rewrites what it loads, as beartype's and jaxtyping's do."""

    def get_code(self, fullname: str) -> Any:
        system.seen.append([one.function for one in inspect.stack(0)][1:4])
        return compile(f"{self.get_source(fullname)}\nADDED = 1\n", self.path, "exec", dont_inherit=True)


def rewritten() -> tuple[Any, ...]:
    """An import through that loader."""
    finder = importlib.machinery.FileFinder.path_hook((Rewriting, [".py"]))
    sys.path_hooks.insert(0, finder)
    sys.path_importer_cache.clear()
    try:
        return loaded(), sys.modules[NAME].ADDED
    finally:
        sys.path_hooks.remove(finder)
        sys.path_importer_cache.clear()


def zipped(root: str) -> list[Any]:
    """The engine in an archive."""
    archive = os.path.join(os.path.dirname(root), "engine.zip")
    with zipfile.ZipFile(archive, "w") as file:
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                file.write(path, os.path.relpath(path, root))
    shutil.rmtree(root)
    sys.path.insert(0, archive)
    try:
        return loaded()
    finally:
        sys.path.remove(archive)


for fails, source in FAILS.items():
    imported(fails, engine(source), lambda: importlib.import_module("keras"))
imported("plain", engine(LOOKS), loaded)
imported("reloaded", engine(LOOKS), reloaded)
imported("reloaded, and it fails", engine("\nimport sys\nif 'again' in globals():\n    1 / 0\nagain = 1\n"), reloaded)
imported("by recipe", engine(LOOKS), by_recipe)
imported("by recipe, and it fails", engine(FAILS["deep"]), by_recipe)
imported("by hand", engine(""), by_hand)
imported("lazily", engine(LOOKS), lazily)
imported("lazily, and it fails", engine(FAILS["deep"]), lazily)
imported("rewritten", engine(LOOKS), rewritten)
in_archive = engine(LOOKS)
imported("in an archive", in_archive, lambda: zipped(in_archive))
failing = engine(FAILS["deep"])
imported("in an archive, and it fails", failing, lambda: zipped(failing))
imported("not there", engine(""), lambda: importlib.import_module("keras.nothing"))
session = sys.modules.get("fittrace.capture") and sys.modules["fittrace.capture"].Session.active
if session is not None:
    session.flush()
