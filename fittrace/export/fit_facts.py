"""Facts of a run that an export needs before its first span: processes, fits, and the logs of epochs."""

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
    """One process of a run.

    - `run`: the name of the run.
    - `number`: the number of the process in the run.
    - `row`: its row of the table `processes`.
    - `ids`: makes the ids of its spans and traces.
    """

    run: str
    number: int
    row: Row
    ids: Ids

    @property
    def title(self) -> str:
        """The name of the process in a viewer."""
        rank = f", rank {self.row['rank']}" if self.row["rank"] is not None else ""
        return f"{self.run} ({self.row['host']}, pid {self.row['pid']}{rank})"

    def resource(self) -> dict[str, Any]:
        """The attributes of its resource in OpenTelemetry."""
        return otel_names.resource(self.row, _words(self.row["argv"]), self.run)


def _words(argv: str) -> list[str]:
    """The words of a command line, which the recorder wrote as JSON. Text that is no JSON list is a single word."""
    try:
        words = json.loads(argv)
    except (ValueError, RecursionError):
        words = argv
    return [str(word) for word in words] if isinstance(words, list) else [argv]


@dataclass(frozen=True, eq=False)
class ExportedFit:
    """One fit.

    - `row`: its row of the table `fits`.
    - `trace`: the id of its trace in OpenTelemetry.
    - `parent`: the id of the program's own span around it. None if there is none.
    """

    row: Row
    trace: int
    parent: int | None

    @property
    def title(self) -> str:
        """The name of the fit in a viewer."""
        return f"{self.row['method']} {self.row['fit']}"


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of one run.

    - `run`: its name.
    - `processes`: the processes, by number.
    - `fits`: the fits, by the numbers of process and fit.
    - `epochs`: the logs at the end of each epoch, by the numbers of process, fit and epoch.
    - `ends`: the logs at the end of each fit, by the numbers of process and fit.
    """

    run: str
    processes: dict[int, Process]
    fits: dict[tuple[int, int], ExportedFit]
    epochs: dict[tuple[int, int, int], Logs]
    ends: dict[tuple[int, int], Logs]


def alone(run: RunFiles) -> TraceTables:
    """A trace of `run` alone, whose tables have no column `run`."""
    return TraceTables(run.directory, [run])


def facts_of(trace: TraceTables) -> Facts:
    """Query the facts of a trace of one run."""
    run = trace.runs[0].name
    processes = {}
    for row in row_dicts(trace.relation("SELECT * FROM processes ORDER BY process")):
        ids = Ids(row["host"], row["pid"], row["start_ns"])
        processes[row["process"]] = Process(run, row["process"], row, ids)
    return Facts(run, processes, _fits(trace, processes), _epochs(trace), _ends(trace))


class LoggedBatches:
    """The logs of batches. The table `batches` has a column for each key, even for loops that never log the key."""

    def __init__(self, trace: TraceTables) -> None:
        names = trace.relation("SELECT * FROM batches LIMIT 0").columns
        self.keys = [name[len(LOGS_PREFIX) :] for name in names if name.startswith(LOGS_PREFIX)]
        logged = row_dicts(trace.relation("SELECT DISTINCT process, fit, stage, key FROM logs WHERE batch IS NOT NULL"))
        self._logged = {(row["process"], row["fit"], row["stage"], row["key"]) for row in logged}

    @property
    def columns(self) -> str:
        """The columns of all keys, to append to a `SELECT` list."""
        return columns_of(self.keys)

    def of(self, row: Mapping[str, Any]) -> Logs:
        """The numbers in the logs of a batch. `row` must have the `columns`."""
        loop = row["process"], row["fit"], row["stage"]
        numbers = ((key, row[LOGS_PREFIX + key]) for key in self.keys if (*loop, key) in self._logged)
        return {key: number for key, number in numbers if number is not None}


def columns_of(keys: list[str]) -> str:
    """The columns of `batches` for `keys`, to append to a `SELECT` list.

    >>> columns_of(["loss"])
    ', "logs.loss"'
    """
    return "".join(f', "{LOGS_PREFIX}{name}"' for name in (key.replace('"', '""') for key in keys))


def _fits(trace: TraceTables, processes: dict[int, Process]) -> dict[tuple[int, int], ExportedFit]:
    """The fits by process and fit, with the ids of their traces.

    A fit joins the trace of the program's own span around it, else that of its parent fit. Otherwise it begins a trace.
    Every fit here has its process in `processes`.
    """
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


# A damaged trace may lack the process of a fit, or the fit's own span. Spans and counters need the process; without the
# fit's own span, the site 0 stands for the site that opened it.
_FITS = f"""
    SELECT f.*, coalesce(s.site, 0) AS site, v.text AS around
    FROM fits f SEMI JOIN processes USING (process)
    LEFT JOIN (SELECT process, span, site FROM spans) s USING (process, span)
    LEFT JOIN (SELECT process, span, text FROM values WHERE key = '{otel_names.TRACEPARENT}') v USING (process, span)
    ORDER BY process, fit
"""
# An epoch or a fit shows the values at its end. Several hooks may log the same key; the last one counts.
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
