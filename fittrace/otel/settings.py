"""Which spans are sent while a program trains: what its caller says, else its environment, else the default."""

from __future__ import annotations

import os
from typing import NamedTuple

from ..schema.errors import FittraceError
from ..schema.otel import DEFAULT_LEVEL, DEFAULT_RATIO, LEVELS, ratio_of

LEVEL = "OTEL_PYTHON_KERAS_LEVEL"
RATIO = "OTEL_PYTHON_KERAS_BATCH_RATIO"
"""The environment variables that set them."""


class Settings(NamedTuple):
    """The `level` of the spans that are sent, and the `ratio` of the batches among them."""

    level: str
    ratio: float


def settings(level: "str | None" = None, ratio: "float | None" = None) -> Settings:
    """What is sent. Raises `FittraceError` where the level or the ratio is none.

    >>> settings("epoch", 0.5)
    Settings(level='epoch', ratio=0.5)
    """
    level = level or os.environ.get(LEVEL) or DEFAULT_LEVEL
    if level not in LEVELS:
        raise FittraceError("%s: no level of spans; use one of %s" % (level, ", ".join(LEVELS)))
    try:
        return Settings(level, ratio_of(os.environ.get(RATIO) or DEFAULT_RATIO if ratio is None else ratio))
    except ValueError as error:
        raise FittraceError("batches: %s" % error) from None
