"""The recorded control flow of one fit, read from the tables of its trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..schema.errors import FittraceError
from ..tables import TraceTables
from ..tables.database import read, row_tuples
from ..tables.sql_literals import literal
from .flow_graph import FlowGraph, FlowNode
from .walk import RecordedProgram, WalkSite

Ints = npt.NDArray[np.int64]
"""An array of integers."""


class NoFlow(FittraceError):
    """The trace does not have the fit, or not its control flow."""


@dataclass(frozen=True)
class Turns:
    """The turns of a fit in order. A row is several turns of the same path, one after the other."""

    span: Ints
    "The number of the first span that the row's first turn opens."
    count: Ints
    "How many turns the row has."
    path: Ints
    "The number of their path; -1 if records are missing."
    clocks: Sequence[Sequence[int]]
    "The Unix times at which lines began that read a clock of their own, without a span."


@dataclass(frozen=True)
class RecordedFlow:
    """The control flow of one fit of one process."""

    trace: TraceTables
    where: str
    "Selects the process, in SQL."
    fit: int
    "The number of the fit in its process."
    program: RecordedProgram
    "The functions that recorded."
    paths: Sequence[Sequence[int]]
    "By number: the records of a turn."
    turns: Turns
    sources: dict[str, Sequence[str]]
    "By file: the lines of its source."

    def rows(self, table: str, columns: str, condition: str = "true") -> pa.Table:
        """The rows of this process in a table that meet `condition`, in SQL."""
        return read(self.trace.relation(f"SELECT {columns} FROM {table} WHERE {self.where} AND {condition}"))


def recording(trace: TraceTables, fit: int, process: int | None = None, run: str | None = None) -> RecordedFlow:
    """Read the control flow of one fit.

    `process` and `run` are needed only if several have a fit of that number. Raises `NoFlow` if there is no such fit,
    or more than one, or if its control flow was not recorded.
    """
    fits = trace.fits()
    found = fits[fits["fit"] == fit]
    found = found if process is None else found[found["process"] == process]
    found = found if run is None else found[found["run"] == run]
    if found.empty:
        known = ", ".join(map(str, sorted(set(fits["fit"])))) or "none"
        raise NoFlow(f"{trace.path}: no fit {fit}; it has {known}")
    if len(found) > 1:
        raise NoFlow(f"{trace.path}: {len(found)} fits have the number {fit}; give process (and run, in a folder) too")
    row = found.iloc[0]
    where = f"process = {int(row['process'])}"
    if "run" in found:
        where += f" AND run = {literal(str(row['run']))}"
    inner = _with_inner_fits(fits[(fits["process"] == row["process"])], fit)
    thread = literal(str(row["thread"]))
    read = _ProcessTables(trace, where)
    flow = read("flow", f"fit IN ({', '.join(map(str, inner))}) AND thread = {thread}")
    if not flow.num_rows:
        raise NoFlow(f"{trace.path}: the control flow of fit {fit} is not in it; it was dropped, or its engine unknown")
    program, files = _program(read)
    paths = read("paths")
    path_by_number = dict(zip(paths["path"].to_pylist(), paths["sites"].to_pylist(), strict=True))
    turns = Turns(
        flow["span"].to_numpy(),
        flow["turns"].to_numpy(),
        flow["path"].fill_null(-1).to_numpy().astype(np.int64),
        flow["clocks_ns"].to_pylist(),
    )
    known_paths = [path_by_number.get(number, ()) for number in range(max(path_by_number, default=-1) + 1)]
    return RecordedFlow(trace, where, fit, program, known_paths, turns, _sources(trace, where, files))


@dataclass(frozen=True)
class _ProcessTables:
    """Reads the rows of one process."""

    trace: TraceTables
    where: str

    def __call__(self, name: str, condition: str = "true") -> pa.Table:
        return read(self.trace.relation(f"SELECT * FROM {name} WHERE {self.where} AND {condition}"))


def _with_inner_fits(fits: Any, fit: int) -> list[int]:
    """A fit, and the fits that its hooks called, at any depth."""
    found = [fit]
    for outer in found:
        found += fits[fits["parent_fit"] == outer]["fit"].tolist()
    return found


def _program(read: _ProcessTables) -> tuple[RecordedProgram, dict[str, str]]:
    """The program, and by file the id of its source in the table `sources`."""
    functions, nodes, sites = (read(name).to_pylist() for name in ("functions", "nodes", "sites"))
    node_of_site: dict[int, tuple[int, int]] = {}
    by_function: dict[int, list[FlowNode]] = {function["function"]: [] for function in functions}
    for row in sorted(nodes, key=lambda row: (row["function"], row["node"])):
        if row["function"] in by_function:
            if row["probe"] is not None:
                node_of_site[row["probe"]] = (row["function"], row["node"])
            by_function[row["function"]].append(
                FlowNode(
                    row["line"], row["end_line"], row["probe"], row["calls"], row["next"], row["raises"], row["again"]
                )
            )
    # Graphs have no gaps in their numbers. The numbers of functions in the table may have some.
    graph_of_function = {row["function"]: number for number, row in enumerate(functions)}
    graphs = [FlowGraph(row["name"], row["file"], row["line"], by_function[row["function"]]) for row in functions]
    walk_sites = {}
    for row in sites:
        function, node = node_of_site.get(row["site"], (None, None))
        walk_sites[row["site"]] = WalkSite(
            row["kind"],
            None if function is None else graph_of_function[function],
            node,
            row["line"],
            row["depth"],
            tuple(row["opens"]),
            row["fence"],
        )
    return RecordedProgram(graphs, walk_sites), {function["file"]: function["source"] for function in functions}


def _sources(trace: TraceTables, where: str, files: dict[str, str]) -> dict[str, Sequence[str]]:
    """The lines of each file. The process that stored a text may be another one of the same run."""
    run = where.partition(" AND ")[2] or "true"
    wanted = ", ".join(f"'{source}'" for source in sorted(set(files.values())) if source.isalnum()) or "''"
    query = f"SELECT source, any_value(text) FROM sources WHERE {run} AND source IN ({wanted}) GROUP BY source"
    texts = dict(row_tuples(trace.relation(query)))
    return {file: (texts.get(source) or "").split("\n") for file, source in files.items()}
