"""Settings: how much of a program is recorded, as the launcher is told and capture needs to know."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from typing import Any, Mapping

from . import sampled_batches
from .errors import FittraceError

CHOICES = {"values": ("basic", "all"), "lines": ("engine", "callbacks")}
"""What a setting may be, where that is one of a few; the first is the default."""


@dataclass(frozen=True)
class Settings:
    """How much is recorded. Raises `FittraceError` for one that makes no sense.

    `values`: `basic` for the arguments of `fit` alone, `all` for what the engine's functions assign to their variables
    too. `lines`: whose control flow, `engine` for the engine's alone, `callbacks` for the hooks of the program's own
    callbacks and its own training step too. `run_metadata`: the batches whose ops are kept, as `sampling.parse` reads
    it.

    >>> Settings(values="all").facts()
    {'values': 'all', 'lines': 'engine', 'run_metadata': 'off'}
    >>> Settings(lines="none")
    Traceback (most recent call last):
        ...
    fittrace.schema.errors.FittraceError: --lines none: no such choice; it may be engine or callbacks
    """

    values: str = CHOICES["values"][0]
    lines: str = CHOICES["lines"][0]
    run_metadata: str = sampled_batches.DEFAULT

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise FittraceError("--%s %s: no such choice; it may be %s" % (name, value, " or ".join(choices)))
        sampled_batches.parse(self.run_metadata)

    def facts(self) -> "dict[str, Any]":
        """As the run's facts have them."""
        return asdict(self)

    @classmethod
    def of(cls, facts: "Mapping[str, Any]") -> "Settings":
        """The settings in a run's facts; the default for each that is not there or makes no sense.

        >>> Settings.of({"values": "all", "lines": 7}) == Settings(values="all")
        True
        """
        found = cls()
        for name, value in vars(found).items():
            told = facts.get(name)
            with contextlib.suppress(FittraceError):
                found = cls(**{**vars(found), name: told if type(told) is str else value})
        return found


DEFAULT = Settings()
