"""Which live spans are sent: set by the caller, else by the environment, else by default."""

from __future__ import annotations

import os
from typing import NamedTuple

from ..schema.errors import FittraceError
from ..schema.sent_batches import DEFAULT, SentBatches
from ..schema.sent_spans import DEFAULT_LEVEL, LEVELS

LEVEL = "OTEL_PYTHON_KERAS_LEVEL"
"""The environment variable that sets the level."""
BATCHES = "OTEL_PYTHON_KERAS_BATCHES"
"""The environment variable that sets the batches."""


class LiveSettings(NamedTuple):
    """The `level` of the spans that are sent, and which `batches` are among them."""

    level: str
    batches: SentBatches


def settings(level: "str | None" = None, batches: "SentBatches | str | float | None" = None) -> LiveSettings:
    """Read the settings. None: from the environment, else the default. Raises `FittraceError` for invalid ones.

    >>> settings("epoch", 0.5)
    LiveSettings(level='epoch', batches=SentBatches(ratio=0.5, period_ns=0))
    """
    level = level or os.environ.get(LEVEL) or DEFAULT_LEVEL
    if level not in LEVELS:
        raise FittraceError("%s: no level of spans; use one of %s" % (level, ", ".join(LEVELS)))
    try:
        return LiveSettings(level, SentBatches.of(os.environ.get(BATCHES) or DEFAULT if batches is None else batches))
    except ValueError as error:
        raise FittraceError("batches: %s" % error) from None
