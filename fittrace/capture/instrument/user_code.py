"""The program's own functions that an engine calls: the hooks of its callbacks, and the steps of its models.

They are rewritten, as an engine's are, when an object of their class is met first.
"""

from __future__ import annotations

import linecache
import types
from typing import Iterator, Mapping, Sequence

from ...engines import Function
from ..sites import Site, maker
from .install import InstallOutcome, exchange
from .rewrite import rewrite

ENGINE = "program"
"""The engine's name in the sites of these functions."""
STEPS = ("train_step", "test_step", "predict_step")
"""The methods of a model that its engine calls once for a batch."""
_NOT_OWN = frozenset(["builtins", "keras", "tensorflow", "tensorflow_core", "tf_keras"])


def hooks_of(kind: type) -> Iterator[types.FunctionType]:
    """The hooks that a callback's class, or a class that it comes from, defines, but those of an engine."""
    for name, function in _methods(kind):
        if name.startswith("on_"):
            yield function


def steps_of(kind: type) -> Iterator[types.FunctionType]:
    """The steps that a model's class, or a class that it comes from, defines, but those of an engine."""
    for name, function in _methods(kind):
        if name in STEPS:
            yield function


def install_own(
    functions: Sequence[types.FunctionType],
    constants: Mapping[str, object],
    sites: list[Site],
    entering: "frozenset[str]",
    variables: bool,
) -> Iterator[InstallOutcome]:
    """Make functions of the program's own record, as `install` does an engine's. Gives an outcome for each file.

    functions: the program's own.
    constants: those of rewritten code, which `main_thread.owned` gives.
    sites: every site. New ones are appended.
    entering: the names under which functions that record are called.
    variables: whether the functions record what they assign, too.
    """
    files = dict.fromkeys(function.__code__.co_filename for function in functions)
    for file in files:
        here = {function.__qualname__: function for function in functions if function.__code__.co_filename == file}
        source = "".join(linecache.getlines(file))
        if not source:
            yield InstallOutcome([], False, ["the source of %s" % ", ".join(here)], file)
            continue
        specs = [Function("", name, clocked=True) for name in here]
        rewritten = rewrite(source, file, specs, maker(ENGINE, sites), entering, variables)
        yield exchange(rewritten, here, constants)._replace(file=file, source=source)


def _methods(kind: type) -> Iterator[tuple[str, types.FunctionType]]:
    for owner in type.__dict__["__mro__"].__get__(kind):
        module = type.__dict__["__module__"].__get__(owner)
        if type(module) is str and module.partition(".")[0] not in _NOT_OWN:
            for name, value in list(type.__dict__["__dict__"].__get__(owner).items()):
                while type(value) is types.FunctionType and "__wrapped__" in value.__dict__:
                    value = value.__dict__["__wrapped__"]
                if type(value) is types.FunctionType:
                    yield name, value
