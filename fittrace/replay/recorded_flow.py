"""What a trace holds of one fit's control flow, read from its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..schema.errors import FittraceError
from ..tables import TraceTables
from ..tables.sql_literals import literal
from .flow_graph import FlowGraph, FlowNode
from .walk import RecordedProgram, WalkSite

Ints = npt.NDArray[np.int64]


class NoFlow(FittraceError):
    """A fit that is not in the trace, or whose control flow is not."""


@dataclass(frozen=True)
class Turns:
    """The turns of a fit in order, row by row: each row is `count` turns, one after the other, of one `path`.

    `span` is the number of the first span that the row's first turn opens. `path` is -1 where records are missing.
    `clocks` are the moments of a row's own clocks.
    """

    span: Ints
    count: Ints
    path: Ints
    clocks: Sequence[Sequence[int]]


@dataclass(frozen=True)
class Recording:
    """One fit of one process: where it is, the program that ran, its turns, and the source of each file."""

    trace: TraceTables
    where: str
    fit: int
    program: RecordedProgram
    paths: Sequence[Sequence[int]]
    turns: Turns
    sources: dict[str, Sequence[str]]

    def rows(self, table: str, columns: str, condition: str = "true") -> pa.Table:
        """Rows of a table, of this process alone, that meet `condition` (in SQL)."""
        return self.trace.relation(f"SELECT {columns} FROM {table} WHERE {self.where} AND {condition}").to_arrow_table()


def recording(trace: TraceTables, fit: int, process: int | None = None, run: str | None = None) -> Recording:
    """The recording of one fit. `process` and `run` may be left out where there is one alone that has such a fit.

    Raises `NoFlow` where there is no such fit, or more than one.
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
    family = _family(fits[(fits["process"] == row["process"])], fit)
    thread = literal(str(row["thread"]))
    answer = _FlowTables(trace, where)
    flow = answer("flow", f"fit IN ({', '.join(map(str, family))}) AND thread = {thread}")
    if not flow.num_rows:
        raise NoFlow(f"{trace.path}: the control flow of fit {fit} is not in it; it was dropped, or its engine unknown")
    program, files = _program(answer)
    paths = answer("paths")
    numbers = dict(zip(paths["path"].to_pylist(), paths["sites"].to_pylist(), strict=True))
    turns = Turns(
        flow["span"].to_numpy(),
        flow["turns"].to_numpy(),
        flow["path"].fill_null(-1).to_numpy().astype(np.int64),
        flow["clocks_ns"].to_pylist(),
    )
    known_paths = [numbers.get(number, ()) for number in range(max(numbers, default=-1) + 1)]
    return Recording(trace, where, fit, program, known_paths, turns, _sources(trace, where, files))


@dataclass(frozen=True)
class _FlowTables:
    trace: TraceTables
    where: str

    def __call__(self, name: str, condition: str = "true") -> pa.Table:
        return self.trace.relation(f"SELECT * FROM {name} WHERE {self.where} AND {condition}").to_arrow_table()


def _family(fits: Any, fit: int) -> list[int]:
    """A fit and those that were called inside its hooks."""
    family = [fit]
    for one in family:
        family += fits[fits["parent_fit"] == one]["fit"].tolist()
    return family


def _program(answer: _FlowTables) -> tuple[RecordedProgram, dict[str, str]]:
    """The program, and the source (by content) of each of its files."""
    functions, nodes, sites = (answer(name).to_pylist() for name in ("functions", "nodes", "sites"))
    places: dict[int, tuple[int, int]] = {}
    by_function: dict[int, list[FlowNode]] = {function["function"]: [] for function in functions}
    for row in sorted(nodes, key=lambda row: (row["function"], row["node"])):
        if row["function"] in by_function:
            if row["probe"] is not None:
                places[row["probe"]] = (row["function"], row["node"])
            by_function[row["function"]].append(
                FlowNode(
                    row["line"], row["end_line"], row["probe"], row["calls"], row["next"], row["raises"], row["again"]
                )
            )
    numbers = {function["function"]: place for place, function in enumerate(functions)}
    graphs = [FlowGraph(one["name"], one["file"], one["line"], by_function[one["function"]]) for one in functions]
    known = {}
    for row in sites:
        function, node = places.get(row["site"], (None, None))
        known[row["site"]] = WalkSite(
            row["kind"],
            None if function is None else numbers[function],
            node,
            row["line"],
            row["depth"],
            tuple(row["opens"]),
            row["fence"],
        )
    return RecordedProgram(graphs, known), {function["file"]: function["source"] for function in functions}


def _sources(trace: TraceTables, where: str, files: dict[str, str]) -> dict[str, Sequence[str]]:
    """The lines of each file. A text may lie with an earlier process of the run."""
    run = where.partition(" AND ")[2] or "true"
    wanted = ", ".join(f"'{source}'" for source in sorted(set(files.values())) if source.isalnum()) or "''"
    query = f"SELECT source, any_value(text) FROM sources WHERE {run} AND source IN ({wanted}) GROUP BY source"
    texts = dict(trace.relation(query).fetchall())
    return {file: (texts.get(source) or "").split("\n") for file, source in files.items()}
