"""The key of a fit, by which the figures of all fits of a trace are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FitKey = tuple[str | None, int, int]
"""A fit: its run, None where a single run was opened, its process and its number."""


def key_of(fit: Mapping[str, Any]) -> FitKey:
    """The key of a fit, a row of a table with these columns.

    >>> key_of({"process": 0, "fit": 2, "method": "fit"})
    (None, 0, 2)
    """
    return fit.get("run"), fit["process"], fit["fit"]
