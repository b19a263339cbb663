"""What a rule is, and what it finds."""

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
    "batch_samples",
    "first_batches",
)
"""What a rule may ask for, by the name of its parameter: the rows of one fit. `fit` is its own row and `process` that
of its process, as Series; `inner` are the fits that were called in its hooks; the others are the tables so named.
`stops` has the rows of `inner` too, and the columns `start_ns` and `thread` of the hooks. `batch_samples` is a function
of a stage, an epoch and a batch that gives the indices of the batch's samples, or None where the trace does not tell.
`first_batches` has a row for each fit of the process: what its first training batch took, beside the others (`built`).
It is for what fits have in common, and has rows for the first fit of a process alone.
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
"""Callbacks that come with Keras, but for `LambdaCallback`, whose code is the user's."""


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found: a `message` on one line that carries the evidence, and where it is.

    `span` is the number of a span, whose place in the engine's source is then told. `remedy` takes the place of the
    rule's where the case has another. `fit` is the fit's number, where it is another one of the same process.
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
    """A rule: its `name`, the function that looks, what the fault does to the user, the remedy, upstream `threads`."""

    name: str
    find: Find
    effect: str
    remedy: str
    threads: tuple[str, ...] = ()

    @property
    def asks(self) -> tuple[str, ...]:
        """The tables that it asks for."""
        return tuple(inspect.signature(self.find).parameters)


def rule(name: str, effect: str, remedy: str, threads: Iterable[str] = ()) -> Callable[[Find], Rule]:
    """Make a rule of a function that takes tables and yields findings. Raises `FittraceError` for one that asks for
    what there is not.

    >>> @rule("many-batches", effect="it takes long", remedy="train less")
    ... def many_batches(batches):
    ...     if len(batches) > 1_000_000:
    ...         yield Finding(f"{len(batches):,} batches")
    >>> many_batches.name, many_batches.asks
    ('many-batches', ('batches',))
    """

    def made(find: Find) -> Rule:
        result = Rule(name, find, effect, remedy, tuple(threads))
        unknown = [asked for asked in result.asks if asked not in TABLES]
        if unknown:
            raise FittraceError(f"rule {name}: no table {unknown[0]!r}; a rule may take {', '.join(TABLES)}")
        return result

    return made


def number(value: object) -> int | None:
    """A number of a table, None where it is missing.

    >>> number(3), number(pd.NA)
    (3, None)
    """
    return None if value is pd.NA else int(str(value))


def version_of(fit: pd.Series) -> tuple[int, int]:
    """The first two numbers of the version of a fit's engine; 0 where it has none.

    >>> version_of(pd.Series({"engine_version": "3.14.0"}))
    (3, 14)
    """
    found = re.match(r"(\d+)\.(\d+)", str(fit["engine_version"]))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def is_whole(process: pd.Series) -> bool:
    """Whether all batches, hooks and logs of a process were recorded, so that what is not there never was."""
    return not process["dropped_batches"] and not process["damaged_bytes"]


def keras(number: int) -> str:
    """The address of a thread of Keras.

    >>> keras(12268)
    'https://github.com/keras-team/keras/issues/12268'
    """
    return f"https://github.com/keras-team/keras/issues/{number}"


def tensorflow(number: int) -> str:
    """The address of a thread of TensorFlow.

    >>> tensorflow(58098)
    'https://github.com/tensorflow/tensorflow/issues/58098'
    """
    return f"https://github.com/tensorflow/tensorflow/issues/{number}"
