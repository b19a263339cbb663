"""Settings: how much of a program is recorded, as the launcher is told and capture needs to know."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Mapping

CHOICES = {"values": ("basic", "all"), "lines": ("engine", "callbacks")}
"""What each setting may be; the first is the default."""


@dataclass(frozen=True)
class Settings:
    """How much is recorded.

    `values`: `basic` for the arguments of `fit` alone, `all` for what the engine's functions assign to their variables
    too. `lines`: whose control flow, `engine` for the engine's alone, `callbacks` for the hooks of the program's own
    callbacks and its own training step too.

    >>> Settings(values="all").facts()
    {'values': 'all', 'lines': 'engine'}
    >>> Settings(lines="none")
    Traceback (most recent call last):
        ...
    ValueError: lines='none': choose engine or callbacks
    """

    values: str = CHOICES["values"][0]
    lines: str = CHOICES["lines"][0]

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ValueError("%s=%r: choose %s" % (name, value, " or ".join(choices)))

    def facts(self) -> "dict[str, Any]":
        """As the run's facts have them."""
        return asdict(self)

    @classmethod
    def of(cls, facts: "Mapping[str, Any]") -> "Settings":
        """The settings in a run's facts; the default where one is not there or makes no sense.

        >>> Settings.of({"values": "all", "lines": 7})
        Settings(values='all', lines='engine')
        """
        return cls(**{name: facts[name] for name, choices in CHOICES.items() if facts.get(name) in choices})


DEFAULT = Settings()
