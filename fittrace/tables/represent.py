"""The representation of a trace in a Python prompt and in a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from ..schema.safe_text import printable
from .computed_tables import VIEWS
from .database import Database, row_tuples

_MOST_ROWS = 10
"""Fits that a notebook shows."""
_SHOWN = ("fit", "method", "engine", "engine_version", "epochs", "batches", "status", "duration_ns")
_AMOUNT = "SELECT count(*), sum(epochs), sum(batches), sum(duration_ns) / 1e9 FROM fits WHERE parent_fit IS NULL"


def as_text(path: Path, runs: Sequence[object] | None, database: Database) -> str:
    """One line with the path and the size of a trace. `runs` are the runs of a folder; None for a single run."""
    count = "" if runs is None else f"{len(runs)} runs, "
    return f"<Trace {printable(path)}: {count}{_amount(database)}>"


def as_html(path: Path, runs: Sequence[object] | None, database: Database) -> str:
    """A heading, the first fits and the names of the tables, as HTML. Every text of the trace is escaped."""
    columns = [*([] if runs is None else ["run"]), *_SHOWN]
    fits = database.query(f"SELECT {', '.join(columns)} FROM fits ORDER BY start_ns LIMIT {_MOST_ROWS}")
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in row_tuples(fits))
    tables = ", ".join(f"<code>{name}()</code>" for name in VIEWS)
    return (
        f"<div><b>{_cell(path)}</b>: {_cell(_amount(database))}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"Tables: {tables}, and <code>sql(query)</code> over them.</div>"
    )


def _amount(database: Database) -> str:
    fits, epochs, batches, seconds = row_tuples(database.query(_AMOUNT))[0]
    if not fits:
        return "no fits"
    return f"{fits:,} fits, {epochs:,} epochs, {batches:,} batches, {seconds:,.3g} s of fitting"


def _cell(value: object) -> str:
    return html.escape(printable(value))
