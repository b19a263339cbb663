"""The key of a fit, by which the figures of all fits of a trace are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..tables import TraceTables

FitKey = tuple[str | None, int, int]
"""A fit: its run, None where a single run was opened, its process and its number."""


def key_columns(trace: TraceTables) -> str:
    """The columns of that key, as SQL lists them."""
    return f"{process_columns(trace)}, fit"


def process_columns(trace: TraceTables) -> str:
    """The columns of a process' key, as SQL lists them. Only a folder of runs has names of runs."""
    return "run, process" if trace.is_folder else "process"


def key_of(fit: Mapping[str, Any]) -> FitKey:
    """The key of a fit, a row of a table with these columns.

    >>> key_of({"process": 0, "fit": 2, "method": "fit"})
    (None, 0, 2)
    """
    return fit.get("run"), fit["process"], fit["fit"]
