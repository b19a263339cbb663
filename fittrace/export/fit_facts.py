"""What an export must know of a whole run before the first span: its processes, its fits, the logs of its epochs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..schema import otel_names
from ..schema.otel_names import Ids
from ..store.parquet.arrow_columns import LOGS_PREFIX
from ..store.run_files import RunFiles
from ..tables import TraceTables
from ..tables.database import row_dicts

Row = dict[str, Any]
Logs = dict[str, float]


@dataclass(frozen=True, eq=False)
class Process:
    """One process of a run: its row of `processes`, and its ids."""

    run: str
    number: int
    row: Row
    ids: Ids

    @property
    def title(self) -> str:
        """What a viewer calls it."""
        rank = f", rank {self.row['rank']}" if self.row["rank"] is not None else ""
        return f"{self.run} ({self.row['host']}, pid {self.row['pid']}{rank})"

    def resource(self) -> dict[str, Any]:
        """The attributes of its resource."""
        return otel_names.resource(self.row, _words(self.row["argv"]), self.run)


def _words(argv: str) -> list[str]:
    """A command line that the recorder wrote as JSON; as one word where it is none."""
    try:
        words = json.loads(argv)
    except (ValueError, RecursionError):
        words = argv
    return [str(word) for word in words] if isinstance(words, list) else [argv]


@dataclass(frozen=True, eq=False)
class ExportedFit:
    """One fit: its row of `fits`, the id of its trace, and the id of the span around it, if there is one."""

    row: Row
    trace: int
    parent: int | None

    @property
    def title(self) -> str:
        """What a viewer calls it."""
        return f"{self.row['method']} {self.row['fit']}"


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a run: processes and fits, by number; the logs at the ends of epochs and of fits."""

    run: str
    processes: dict[int, Process]
    fits: dict[tuple[int, int], ExportedFit]
    epochs: dict[tuple[int, int, int], Logs]
    ends: dict[tuple[int, int], Logs]


def alone(run: RunFiles) -> TraceTables:
    """One run of a trace, so that its tables have no column `run`."""
    return TraceTables(run.directory, [run])


def facts_of(trace: TraceTables) -> Facts:
    """The facts of a trace of one run."""
    run = trace.runs[0].name
    processes = {}
    for row in row_dicts(trace.relation("SELECT * FROM processes ORDER BY process")):
        ids = Ids(row["host"], row["pid"], row["start_ns"])
        processes[row["process"]] = Process(run, row["process"], row, ids)
    return Facts(run, processes, _fits(trace, processes), _epochs(trace), _ends(trace))


class LoggedBatches:
    """The logs of batches: in `batches` every key has a column, also where a batch was never given it."""

    def __init__(self, trace: TraceTables) -> None:
        names = trace.relation("SELECT * FROM batches LIMIT 0").columns
        self.keys = [name[len(LOGS_PREFIX) :] for name in names if name.startswith(LOGS_PREFIX)]
        given = row_dicts(trace.relation("SELECT DISTINCT process, fit, stage, key FROM logs WHERE batch IS NOT NULL"))
        self._given = {(row["process"], row["fit"], row["stage"], row["key"]) for row in given}

    @property
    def columns(self) -> str:
        """The columns of all keys, for the end of what a `SELECT` lists."""
        return columns_of(self.keys)

    def of(self, row: Mapping[str, Any]) -> Logs:
        """The numbers in the logs of a batch, whose row has `columns`."""
        loop = row["process"], row["fit"], row["stage"]
        numbers = ((key, row[LOGS_PREFIX + key]) for key in self.keys if (*loop, key) in self._given)
        return {key: number for key, number in numbers if number is not None}


def columns_of(keys: list[str]) -> str:
    """The columns of `batches` for these keys, for the end of what a `SELECT` lists.

    >>> columns_of(["loss"])
    ', "logs.loss"'
    """
    return "".join(f', "{LOGS_PREFIX}{name}"' for name in (key.replace('"', '""') for key in keys))


def _fits(trace: TraceTables, processes: dict[int, Process]) -> dict[tuple[int, int], ExportedFit]:
    fits: dict[tuple[int, int], ExportedFit] = {}
    for row in row_dicts(trace.relation(_FITS)):
        around = otel_names.parent_of(row.pop("around"))
        site = row.pop("site")
        if around is not None:
            trace_id, parent = around
        elif (row["process"], row["parent_fit"]) in fits:
            trace_id, parent = fits[row["process"], row["parent_fit"]].trace, None
        else:
            trace_id, parent = processes[row["process"]].ids.trace(row["start_ns"], site), None
        fits[row["process"], row["fit"]] = ExportedFit(row, trace_id, parent)
    return fits


_FITS = f"""
    SELECT f.*, s.site, v.text AS around
    FROM fits f JOIN (SELECT process, span, site FROM spans) s USING (process, span)
    LEFT JOIN (SELECT process, span, text FROM values WHERE key = '{otel_names.TRACEPARENT}') v USING (process, span)
    ORDER BY process, fit
"""
# The values of epochs and fits are those at their end. A key is told once for a hook; the last hook has the last word.
_EPOCHS = """
    SELECT process, fit, epoch, key, value FROM logs
    WHERE hook = 'on_epoch_end' AND value IS NOT NULL AND epoch IS NOT NULL ORDER BY process, span
"""
_ENDS = """
    SELECT process, l.fit, key, value FROM logs l JOIN fits f USING (process, fit)
    WHERE value IS NOT NULL AND hook = CASE method
        WHEN 'fit' THEN 'on_train_end' WHEN 'evaluate' THEN 'on_test_end' ELSE 'on_predict_end' END
    ORDER BY process, l.span
"""


def _epochs(trace: TraceTables) -> dict[tuple[int, int, int], Logs]:
    epochs: dict[tuple[int, int, int], Logs] = {}
    for row in row_dicts(trace.relation(_EPOCHS)):
        epochs.setdefault((row["process"], row["fit"], row["epoch"]), {})[row["key"]] = row["value"]
    return epochs


def _ends(trace: TraceTables) -> dict[tuple[int, int], Logs]:
    ends: dict[tuple[int, int], Logs] = {}
    for row in row_dicts(trace.relation(_ENDS)):
        ends.setdefault((row["process"], row["fit"]), {})[row["key"]] = row["value"]
    return ends
