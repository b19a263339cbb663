"""Sends callbacks, models' steps and functions of the engine elsewhere: in a fit, between fits, and after them."""

from __future__ import annotations

import hashlib
import inspect
import marshal
import os
import pickle
import subprocess
import sys
import types
from collections.abc import Iterator
from types import CodeType
from typing import Any

import keras

try:
    import cloudpickle
    import dill
    from joblib import Parallel, delayed
except ImportError:  # on Python 3.7
    PICKLERS, Parallel = {}, None
else:
    PICKLERS = {cloudpickle: {}, dill: {"byref": False, "recurse": True}}

ALIEN = """
import marshal, pickle, sys, traceback, types
data, defaults = pickle.load(sys.stdin.buffer)
if defaults is None:
    kind = pickle.loads(data)
    one = kind(5)
    print(kind.__mro__[1].__name__, one.on_train_begin(), one.made)
    print(list(one.on_generated(3)), one.on_nested(4), one.made)
    run = one.on_epoch_end
else:
    space = {"scale": 3, "__builtins__": __builtins__}
    def run(*given):
        return types.FunctionType(marshal.loads(data), space, None, defaults)(None, *given)
print(run(2, {"loss": 1.0}), run(0))
try:
    run("no epoch")
except TypeError as error:
    print(error, [(frame.f_code.co_name, line) for frame, line in traceback.walk_tb(error.__traceback__)])
print(sorted(name for name in sys.modules if name.startswith("fittrace")))
"""
scale = 3
made: list[Any] = []


class Base(keras.Callback):
    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.began = True


class Mine(Base):
    """Its hooks have closures, branches, loops, a generator and a global."""

    def __init__(self, start: int = 0) -> None:
        self.made: list[Any] = [start]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        own = __class__.__name__  # type: ignore[name-defined]  # mypy knows nothing of this cell
        self.made.append([own, *self.on_generated(1), *self.on_nested(1)])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> Any:
        if epoch > 1:
            return [epoch * one * scale for one in range(2)], logs
        total = 0
        for one in range(3):
            total += one
        return total + epoch

    def on_generated(self, count: int) -> Iterator[int]:
        global made  # noqa: PLW0603
        for one in range(count):
            made = self.made
            yield one * scale

    def on_nested(self, count: int) -> list[int]:
        def inner(more: int) -> int:
            nonlocal count
            count += more
            return count

        return [inner(1), inner(2)]


class Net(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.made: list[Any] = []

    def train_step(self, data: Any) -> Any:
        return {"loss": data}

    def train_function(self, iterator: Any) -> Any:
        return self.train_step(next(iterator))


class Sending(keras.Callback):
    """Sends what it is given in the middle of a fit."""

    def __init__(self) -> None:
        self.has_sent = False

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.has_sent:
            self.has_sent = True
            send("in a fit")


def told(*what: Any) -> None:
    print(*what, flush=True)


def elsewhere(data: bytes, defaults: Any = None) -> str:
    """What another Python, in which nothing is captured, prints of the class that was sent, or of a function's code."""
    path = os.path.dirname(os.path.dirname(keras.__file__))
    command, sent = [sys.executable, "-c", ALIEN], pickle.dumps((data, defaults))
    environment = dict(os.environ, PYTHONPATH=path, FITTRACE_RUN="")
    return subprocess.run(command, check=True, input=sent, stdout=subprocess.PIPE, env=environment).stdout.decode()


def digest(code: CodeType) -> str:
    """The same for equal code. `marshal` alone would tell apart code of which other objects are in use too."""
    return hashlib.sha256(marshal.dumps(marshal.loads(marshal.dumps(code)))).hexdigest()


HOOKS = (Mine.on_train_begin, Mine.on_epoch_end, Mine.on_generated, Mine.on_nested, Net.train_step)
FUNCTIONS = (keras.Model.fit, keras.Model.evaluate, keras.CallbackList.on_epoch_end)


def send(when: str) -> None:
    """Send them all, and tell what comes of it."""
    told("==", when)
    # What is sent in a fit is another code, which does the same.
    between = when != "in a fit"
    for function in map(inspect.unwrap, (*HOOKS, *FUNCTIONS)):
        code = marshal.loads(marshal.dumps(function.__code__))
        told(
            function.__qualname__, code.co_name, code.co_firstlineno, code.co_freevars, code.co_argcount, code.co_flags
        )
        if between and function in HOOKS:
            told(digest(function.__code__))
    told(elsewhere(marshal.dumps(Mine.on_epoch_end.__code__), Mine.on_epoch_end.__defaults__))
    for function in FUNCTIONS[:2]:
        # A copy of the engine's function does what that does, here too.
        code = marshal.loads(marshal.dumps(function.__code__))
        copy = types.FunctionType(code, function.__globals__, None, function.__defaults__)
        told(copy(keras.Model(), 2))
    for pickler, options in PICKLERS.items():
        # With the closure comes the class, and cloudpickle would put what comes into the class that is there.
        for function in [one for one in HOOKS if one.__closure__ is None]:
            sent = pickle.loads(pickler.dumps(function, **options))
            told(sent.__qualname__, digest(sent.__code__) if between else sent.__code__.co_name)
        for function in FUNCTIONS:
            told(pickle.loads(pickler.dumps(function, **options)) is function)
        told(elsewhere(pickler.dumps(Mine, **options)))
    if Parallel is not None:
        told(Parallel(n_jobs=2)(delayed(Mine(one).on_epoch_end)(one) for one in range(3)))


if __name__ == "__main__":
    send("before any fit")
    told(Net().fit(3, callbacks=[Mine(), Sending()]))
    send("after a fit")
    told(Net().fit(3, callbacks=[Mine()]))
    try:
        Net().fit(3, callbacks=[Mine(), object()])
    except AttributeError as error:
        told(error)
    send("after one that failed")
