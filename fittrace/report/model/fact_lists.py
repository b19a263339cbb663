"""The facts of a run: what ran where, when, and how it was recorded."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ...analysis.units import amount, duration
from ...store.run_files import RunFiles
from ...tables import TraceTables
from ...tables.database import row_dicts

MOST_VALUES = 5
"""Different values of one fact that are listed, such as the hosts of a folder of runs."""

Facts = list[tuple[str, str]]


def run_facts(trace: TraceTables, redacted: bool) -> Facts:
    """The facts of a run, or of all runs of a folder, each as a label and a text.

    `redacted` leaves out the host, paths and the command line.
    """
    processes = row_dicts(trace.relation("SELECT python, executable, host, rank FROM processes ORDER BY process"))
    facts = _of_folder(trace.runs) if trace.is_folder else _of_run(trace.runs[0], redacted)
    facts += [
        ("Python", _listed(row["python"] for row in processes)),
        ("Processes", f"{len(processes):,}" if len(processes) > 1 else ""),
        ("Ranks", _listed(row["rank"] for row in processes)),
    ]
    if not redacted:
        facts += [
            ("Host", _listed(row["host"] for row in processes)),
            ("Interpreter", _listed(row["executable"] for row in processes)),
        ]
    facts.append(("Recorded with", _listed(f"fittrace {run.facts.get('fittrace', '?')}" for run in trace.runs)))
    return [(label, text) for label, text in facts if text]


def _of_run(run: RunFiles, redacted: bool) -> Facts:
    facts = run.facts
    start, end = facts.get("start_ns"), facts.get("end_ns")
    argv = facts.get("argv")
    words = [str(word) for word in argv] if isinstance(argv, list) else []
    return [
        ("Command", "" if redacted else shlex.join(["python", *words])),
        ("Folder", "" if redacted else str(facts.get("cwd") or "")),
        ("Started", _moment(start)),
        ("Whole run", duration(end - start) if isinstance(start, int) and isinstance(end, int) else ""),
        ("Platform", str(facts.get("platform") or "")),
        ("Settings", _settings(facts.get("settings"))),
    ]


def _of_folder(runs: Sequence[RunFiles]) -> Facts:
    starts = [run.facts["start_ns"] for run in runs]
    return [
        ("Runs", amount(len(runs), "run", "runs")),
        ("First started", _moment(min(starts))),
        ("Last started", _moment(max(starts)) if len(runs) > 1 else ""),
    ]


def _listed(values: Any) -> str:
    """The different `values`, without those that are missing."""
    different = list(dict.fromkeys(str(value) for value in values if value is not None))
    more = len(different) - MOST_VALUES
    return ", ".join(different[:MOST_VALUES]) + (f" and {more:,} more" if more > 0 else "")


def _settings(settings: Any) -> str:
    if not isinstance(settings, Mapping):
        return ""
    return ", ".join(f"--{name.replace('_', '-')} {value}" for name, value in settings.items())


def _moment(ns: Any) -> str:
    """A time in Unix nanoseconds, in UTC: the reader may be elsewhere than the run."""
    try:
        return datetime.fromtimestamp(ns / 1e9, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def arguments(trace: TraceTables, chosen: str) -> Facts:
    """The arguments of a fit, and the settings of its callbacks and of `compile`.

    `chosen` is SQL that selects the fit's rows.
    """
    rows = row_dicts(trace.relation(_ARGUMENTS.format(chosen=chosen)))
    return [(row["key"], _value(row)) for row in rows]


# Which hooks a callback defines is recorded with its settings, and shown with the callbacks.
_ARGUMENTS = r"""
    SELECT DISTINCT ON (key) key, value, text FROM values
    WHERE {chosen} AND (span IN (SELECT span FROM fits WHERE {chosen})
        OR (regexp_matches(key, '^(compile|callbacks\[\d+\])\.') AND NOT regexp_matches(key, '\.on_\w+(\.\w+)?$')))
    ORDER BY key, span
"""


def _value(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return str(row["text"])
    number = float(row["value"])
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.6g}"
