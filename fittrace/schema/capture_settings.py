"""The settings of a recording, which the launcher writes to the run's facts and capture reads there."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from typing import Any, Mapping

from . import batches_to_sample
from .errors import FittraceError

CHOICES = {"values": ("basic", "all"), "lines": ("engine", "callbacks"), "memory": ("basic", "off", "full")}
"""The choices for a setting. The first is the default."""
NO_MEMORY, FULL_MEMORY = "off", "full"
"""Two choices for `memory`."""


@dataclass(frozen=True)
class Settings:
    """What is recorded. Raises `FittraceError` for a value that is not allowed.

    - `values`: `basic` records the arguments of `fit`; `all` also the variables of the engine's functions.
    - `lines`: `engine` records the control flow of the engine; `callbacks` also that of the program's own callbacks and
      training step.
    - `memory`: `basic` reads the memory of the process around the hooks of fits, epochs and validations; `full` also
      around those of batches; `off` never.
    - `run_metadata`: the batches whose ops are recorded, a text for `batches_to_sample.parse`.

    >>> Settings(values="all").facts()
    {'values': 'all', 'lines': 'engine', 'memory': 'basic', 'run_metadata': 'off'}
    >>> Settings(lines="none")
    Traceback (most recent call last):
        ...
    fittrace.schema.errors.FittraceError: --lines none: no such choice; it may be engine or callbacks
    """

    values: str = CHOICES["values"][0]
    lines: str = CHOICES["lines"][0]
    memory: str = CHOICES["memory"][0]
    run_metadata: str = batches_to_sample.DEFAULT

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise FittraceError("--%s %s: no such choice; it may be %s" % (name, value, " or ".join(choices)))
        batches_to_sample.parse(self.run_metadata)

    def facts(self) -> "dict[str, Any]":
        """The settings as a dict, as in the run's facts."""
        return asdict(self)

    @classmethod
    def of(cls, facts: "Mapping[str, Any]") -> "Settings":
        """The settings in a run's facts. A missing or invalid one gets its default.

        >>> Settings.of({"values": "all", "lines": 7}) == Settings(values="all")
        True
        """
        settings = cls()
        for name, default in vars(settings).items():
            value = facts.get(name)
            # One by one, so that an invalid value spoils only its own setting.
            with contextlib.suppress(FittraceError):
                settings = cls(**{**vars(settings), name: value if type(value) is str else default})
        return settings


DEFAULT = Settings()
"""The settings of a run without any options."""
