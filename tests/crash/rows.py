"""Rows, gathered and made comparable: spans and fits are named by their place in their thread, not by their number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fittrace.store.derive.derivation import Derivation
from fittrace.store.derive.emit_rows import Emitter
from fittrace.store.derive.sampled_batches import SampledBatches
from fittrace.store.journal.reader import Journal
from fittrace.store.parquet.arrow_columns import Values

TABLES = ("spans", "fits", "batches", "logs", "samples", "stops")

Row = dict[str, Any]
Tables = dict[str, list[Row]]


class Rows:
    """A sink that keeps rows as dicts."""

    def __init__(self) -> None:
        self.tables: Tables = defaultdict(list)

    def append(self, table: str, columns: Mapping[str, Values]) -> None:
        lists = {name: plain(values) for name, values in columns.items()}
        self.tables[table] += [dict(zip(lists, row)) for row in zip(*lists.values(), strict=True)]


def plain(values: Values) -> list[Any]:
    if isinstance(values, tuple):
        return [values[1][code] if code >= 0 else None for code in np.asarray(values[0]).tolist()]
    return values if isinstance(values, list) else values.tolist()  # type: ignore[union-attr]


def derive(path: Path, shift_ns: int = 0) -> Tables:
    """The rows of the journal at `path`."""
    journal = Journal(path)
    sink = Rows()
    emitter, sampled = (
        Emitter(journal.definitions, sink, shift_ns),
        SampledBatches(journal.batch_metadata, sink, shift_ns, journal.allowance),
    )
    derivation = Derivation(journal.definitions, journal.orders, emitter, sampled)
    for chunks in journal.windows():
        derivation.window(chunks)
    derivation.finish()
    return sink.tables


def canonical(tables: Tables) -> dict[str, Counter[tuple[tuple[str, Any], ...]]]:
    """The rows of each table as a bag of comparable rows."""
    roots = {fit["fit"]: (fit["thread"], fit["span"]) for fit in tables.get("fits", [])}
    threads = {span["span"]: span["thread"] for span in tables.get("spans", [])}
    places: dict[tuple[str, Any], int] = {}
    of_thread: Counter[str] = Counter()
    for span in sorted(tables.get("spans", []), key=lambda row: row["span"]):
        places[span["thread"], span["span"]] = of_thread[span["thread"]]
        of_thread[span["thread"]] += 1

    def named(row: Row) -> Row:
        # A column that a row leaves out is null there.
        row = {name: value for name, value in row.items() if value is not None or not name.startswith(("logs.", "at_"))}
        for column in ("span", "parent", "parent_span", "at_span"):
            if row.get(column) is not None:
                one = row[column]
                row[column] = threads[one], places[threads[one], one]
        for column in ("fit", "parent_fit"):
            if row.get(column) is not None:
                thread, root = roots[row[column]]
                row[column] = thread, places[thread, root]
        return row

    return {table: bag(map(named, tables.get(table, []))) for table in TABLES}


def bag(rows: Iterable[Row]) -> Counter[tuple[tuple[str, Any], ...]]:
    return Counter(tuple(sorted((name, comparable(value)) for name, value in row.items())) for row in rows)


def comparable(value: Any) -> Any:
    """NaN is like NaN here, in the logs; text where a number could stand says so."""
    return "nan" if value != value else value


def difference(one: Mapping[str, Counter[Any]], other: Mapping[str, Counter[Any]]) -> str:
    """What differs between two canonical tables, in words; empty where nothing does."""
    lines = []
    for table in one:
        for sign, rows in (("-", one[table] - other[table]), ("+", other[table] - one[table])):
            lines += [f"{table} {sign} {dict(row)}" for row in rows]
    return "\n".join(lines[:12])
