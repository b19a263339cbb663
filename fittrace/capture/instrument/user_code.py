"""The program's own functions that an engine calls: the hooks of its callbacks, and the steps of its models.

They are found when the first object of their class is met, and are made to record as an engine's functions are.
"""

from __future__ import annotations

import linecache
import types
from typing import Iterator, Mapping, Sequence

from ...engines import Function
from ..sites import Site, maker
from .install import InstallOutcome, install_code
from .rewrite import rewrite

ENGINE = "program"
"""What stands for the name of an engine in the sites of these functions."""
STEPS = ("train_step", "test_step", "predict_step")
"""The methods of a model that its engine calls once for each batch."""
_NOT_OWN = frozenset(["builtins", "keras", "tensorflow", "tensorflow_core", "tf_keras"])
"""Packages whose classes are not the program's own."""


def hooks_of(kind: type) -> Iterator[types.FunctionType]:
    """The hooks that a callback's class and its bases define, without those of the engine's own classes.

    >>> class Printer:
    ...     def on_epoch_end(self, epoch, logs=None): ...
    >>> [hook.__name__ for hook in hooks_of(Printer)]
    ['on_epoch_end']
    """
    for name, function in _methods(kind):
        if name.startswith("on_"):
            yield function


def steps_of(kind: type) -> Iterator[types.FunctionType]:
    """The steps that a model's class and its bases define, without those of the engine's own classes."""
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
    """Make functions of the program record, as `install` does with an engine's. Yields an outcome for each file.

    - `functions`: the functions.
    - `constants`: what takes the place of the placeholders in their code.
    - `sites`: all sites of the process. New ones are appended.
    - `entering`: the names under which functions that record are called.
    - `variables`: whether they also record what they assign.
    """
    files = dict.fromkeys(function.__code__.co_filename for function in functions)
    for file in files:
        in_file = {function.__qualname__: function for function in functions if function.__code__.co_filename == file}
        source = "".join(linecache.getlines(file))
        if not source:
            yield InstallOutcome([], False, ["the source of %s" % ", ".join(in_file)], file)
            continue
        specs = [Function("", name, clocked=True) for name in in_file]
        rewritten = rewrite(source, file, specs, maker(ENGINE, sites), entering, variables)
        yield install_code(rewritten, in_file, constants)._replace(file=file, source=source)


def _methods(kind: type) -> Iterator[tuple[str, types.FunctionType]]:
    """The methods of a class and its bases, without decorators. No code of the class or of its metaclass is run."""
    for owner in type.__dict__["__mro__"].__get__(kind):
        module = type.__dict__["__module__"].__get__(owner)
        if type(module) is str and module.partition(".")[0] not in _NOT_OWN:
            for name, value in list(type.__dict__["__dict__"].__get__(owner).items()):
                while type(value) is types.FunctionType and "__wrapped__" in value.__dict__:
                    value = value.__dict__["__wrapped__"]
                if type(value) is types.FunctionType:
                    yield name, value
