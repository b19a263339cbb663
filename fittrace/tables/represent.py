"""How a trace shows itself in a Python prompt and in a notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ..schema.safe_text import printable
from .derived_tables import VIEWS

if TYPE_CHECKING:
    from .trace_tables import TraceTables

_MOST_ROWS = 10


def as_text(trace: TraceTables) -> str:
    """One line: where the trace is and how much is in it."""
    runs = f"{len(trace.runs)} runs, " if trace.is_folder else ""
    return f"<Trace {printable(trace.path)}: {runs}{_amount(trace)}>"


def as_html(trace: TraceTables) -> str:
    """A heading, the first fits and the names of the tables; every text of the trace is escaped."""
    columns = ["run"] * trace.is_folder + ["fit", "method", "engine", "engine_version", "epochs", "batches", "status"]
    fits = trace.relation(f"SELECT {', '.join(columns)}, duration_ns FROM fits ORDER BY start_ns LIMIT {_MOST_ROWS}")
    head = "".join(f"<th>{name}</th>" for name in [*columns, "duration_ns"])
    body = "".join("<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in fits.fetchall())
    tables = ", ".join(f"<code>{name}()</code>" for name in VIEWS)
    return (
        f"<div><b>{_cell(trace.path)}</b>: {_cell(_amount(trace))}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"Tables: {tables}, and <code>sql(query)</code> over them.</div>"
    )


def _amount(trace: TraceTables) -> str:
    query = "SELECT count(*), sum(epochs), sum(batches), sum(duration_ns) / 1e9 FROM fits WHERE parent_fit IS NULL"
    fits, epochs, batches, seconds = trace.relation(query).fetchall()[0]
    if not fits:
        return "no fits"
    return f"{fits:,} fits, {epochs:,} epochs, {batches:,} batches, {seconds:,.3g} s of fitting"


def _cell(value: object) -> str:
    return html.escape(printable(value))
