"""The position at which a fit failed, was cut off, or is now, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..analysis.units import count
from ..schema.safe_text import printable
from ..schema.tables import OWN_STAGE
from ..store.run_files import RunFiles
from ..tables import TraceTables


def stood(fit: Mapping[str, Any], run: RunFiles | None) -> str | None:
    """How and where a fit ended. None if it returned.

    - `fit`: its row of `fits`.
    - `run`: the run that it belongs to; None if unknown.
    """
    where = end_position(fit)
    return None if where is None else f"{_how(fit, run)} {where}"


def end_position(fit: Mapping[str, Any]) -> str | None:
    """The last position of `fit`, a row of `fits`. None if it returned, or if the position is unknown.

    >>> at = {"at_stage": "test", "at_epoch": 0, "at_batch": 3471, "at_phase": "function", "at_hook": None}
    >>> end_position({"method": "fit", "at_callback": None, **at})
    'in validation (function), epoch 0, test batch 3,471'
    """
    if fit.get("at_phase") is None:
        return None
    what = fit["at_phase"]
    if fit["at_hook"] is not None:
        what = f"{fit['at_callback'] or 'CallbackList'}.{fit['at_hook']}"
    # The trace may come from a stranger, and have a method that is none.
    is_own = fit["at_stage"] == OWN_STAGE.get(fit["method"])
    words = [str(what) if is_own else f"validation ({what})"]
    if fit["at_epoch"] is not None:
        words.append(f"epoch {count(fit['at_epoch'])}")
    if fit["at_batch"] is not None:
        words.append(f"{'' if is_own else fit['at_stage'] + ' '}batch {count(fit['at_batch'])}")
    return printable(f"in {', '.join(words)}")


def run_of(trace: TraceTables, row: Mapping[str, Any]) -> RunFiles | None:
    """The run that a row of a trace's table belongs to. A trace of one run has no column `run`."""
    return next((run for run in trace.runs if run.name == row.get("run", run.name)), None)


def _how(fit: Mapping[str, Any], run: RunFiles | None) -> str:
    if fit["status"] == "error":
        return "raised"
    if run is not None and run.running:
        return "now"
    return "killed" if run is not None and run.facts.get("signal") is not None else "cut off"
