"""Rules and their findings, and the decorator `rule`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from ...schema.errors import FittraceError

TABLES = (
    "fit",
    "process",
    "inner",
    "batches",
    "hooks",
    "spans",
    "stops",
    "values",
    "memory",
    "batch_samples",
    "first_batches",
    "repeated_calls",
)
"""The parameters that a rule may have. It gets what its parameters name, for one fit.

- `fit`: the fit's row of `fits`, a Series.
- `process`: the row of its process in `processes`, a Series.
- `inner`: the rows of `fits` that were called in its hooks.
- `batches`, `hooks`, `spans`, `values`, `memory`: its rows of these tables.
- `stops`: its rows of `stops` and those of `inner`, with the columns `start_ns` and `thread` of their hooks.
- `batch_samples`: a function of a stage, an epoch and a batch. It returns the indices of the batch's samples, or None
  if the trace does not have them.
- `first_batches`: for each fit of the process, its first training batch compared with the others (`first_batches.py`).
- `repeated_calls`: the lines of the process' program that call a method again and again (`repeated_calls.py`).

Only the first fit of a process gets rows of the last two, so that a rule over all fits reports once.
"""

KERAS_OWN = frozenset(
    [
        "BackupAndRestore",
        "BaseLogger",
        "CSVLogger",
        "EarlyStopping",
        "History",
        "LearningRateScheduler",
        "ModelCheckpoint",
        "ProgbarLogger",
        "ReduceLROnPlateau",
        "RemoteMonitor",
        "SwapEMAWeights",
        "TensorBoard",
        "TerminateOnNaN",
    ]
)
"""The callbacks of Keras, without `LambdaCallback`, which runs code of the user."""


@dataclass(frozen=True)
class Finding:
    """One fault that a rule found.

    - `message`: what was found, with the numbers that show it, on one line.
    - `epoch`, `batch`, `callback`, `hook`: where it was found, as far as that applies.
    - `span`: the number of a span; the report then shows the line of the engine that opened it.
    - `remedy`: what to do about it, if it is not the rule's remedy.
    - `fit`: the number of the fit, if it is another fit of the same process.
    """

    message: str
    epoch: int | None = None
    batch: int | None = None
    callback: str | None = None
    hook: str | None = None
    span: int | None = None
    remedy: str | None = None
    fit: int | None = None


Find = Callable[..., Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule that looks for one kind of fault.

    - `name`: its name in reports.
    - `find`: the function that looks. It takes some of `TABLES` and yields findings.
    - `effect`: what the fault does to the training.
    - `remedy`: what to do about it.
    - `threads`: addresses of upstream issues about it.
    """

    name: str
    find: Find
    effect: str
    remedy: str
    threads: tuple[str, ...] = ()

    @property
    def asks(self) -> tuple[str, ...]:
        """The parameters of its function, which are among `TABLES`."""
        return tuple(inspect.signature(self.find).parameters)


def rule(name: str, effect: str, remedy: str, threads: Iterable[str] = ()) -> Callable[[Find], Rule]:
    """A decorator that makes a `Rule` of a function that takes some of `TABLES` and yields findings.

    Raises `FittraceError` if the function has a parameter that is not in `TABLES`.

    - `name`: the name of the rule in reports.
    - `effect`: what the fault does to the training.
    - `remedy`: what to do about it.
    - `threads`: addresses of upstream issues about it.

    >>> @rule("many-batches", effect="it takes long", remedy="train less")
    ... def many_batches(batches):
    ...     if len(batches) > 1_000_000:
    ...         yield Finding(f"{len(batches):,} batches")
    >>> many_batches.name, many_batches.asks
    ('many-batches', ('batches',))
    """

    def decorate(find: Find) -> Rule:
        result = Rule(name, find, effect, remedy, tuple(threads))
        unknown = [parameter for parameter in result.asks if parameter not in TABLES]
        if unknown:
            raise FittraceError(f"rule {name}: no table {unknown[0]!r}; a rule may take {', '.join(TABLES)}")
        return result

    return decorate


def number(value: object) -> int | None:
    """An integer of a table; None for a missing value.

    >>> number(3), number(pd.NA)
    (3, None)
    """
    return None if value is pd.NA else int(str(value))


def version_of(fit: pd.Series) -> tuple[int, int]:
    """The major and the minor version of a fit's engine; zeros if the version is not known.

    >>> version_of(pd.Series({"engine_version": "3.14.0"}))
    (3, 14)
    """
    version = re.match(r"(\d+)\.(\d+)", str(fit["engine_version"]))
    return (int(version[1]), int(version[2])) if version else (0, 0)


def is_whole(process: pd.Series) -> bool:
    """Whether all batches, hooks and logs of a process were recorded.

    Only then does a missing row mean that something did not happen.

    >>> is_whole(pd.Series({"dropped_batches": 0, "damaged_bytes": 12}))
    False
    """
    return not process["dropped_batches"] and not process["damaged_bytes"]


def keras(number: int) -> str:
    """The address of an issue or pull request of Keras.

    >>> keras(12268)
    'https://github.com/keras-team/keras/issues/12268'
    """
    return f"https://github.com/keras-team/keras/issues/{number}"


def tensorflow(number: int) -> str:
    """The address of an issue or pull request of TensorFlow.

    >>> tensorflow(58098)
    'https://github.com/tensorflow/tensorflow/issues/58098'
    """
    return f"https://github.com/tensorflow/tensorflow/issues/{number}"
