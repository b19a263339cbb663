"""The whole document of a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from ...analysis.diff import Comparison
from ...tables import TraceTables
from ...version import __version__
from .differences import Differences, differences_of
from .run import Run, run_of


@dataclass(frozen=True)
class Made:
    """How the page was made."""

    version: str
    "The version of fittrace."
    when: str
    "The time, in UTC."
    redacted: bool
    "Whether source, host, paths and arguments are left out."


@dataclass(frozen=True)
class Document:
    """All that a page shows."""

    title: str
    made: Made
    runs: list[Run]
    differences: Differences | None = None
    "What differs between two runs; None for one run."


def document(
    trace: TraceTables,
    *,
    redacted: bool = False,
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> Document:
    """The document of the page that shows `trace`.

    - `redacted`: leave out the engine's source, the host, paths and arguments.
    - `progress`: is called with the parts that are done and with all parts.
    """
    run = run_of(trace, redacted, progress)
    return Document(run.name, _made(redacted), [run])


def comparing_document(comparison: Comparison, trace_a: TraceTables, trace_b: TraceTables) -> Document:
    """The document of the page that shows two runs side by side.

    - `comparison`: what differs between them.
    - `trace_a`, `trace_b`: the runs.
    """
    runs = [run_of(trace, False, lambda done, whole: None) for trace in (trace_a, trace_b)]
    title = " and ".join(run.name for run in runs)
    return Document(title, _made(False), runs, differences_of(comparison))


def _made(redacted: bool) -> Made:
    return Made(__version__, datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), redacted)
