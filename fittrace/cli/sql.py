"""`fittrace sql`: runs an SQL query on a trace."""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..export.output_files import replaced
from ..schema.errors import FittraceError
from .progress import progress
from .subcommand import Subcommand
from .which_trace import find_trace, parse_path

if TYPE_CHECKING:
    import duckdb

FORMATS = ("table", "csv", "json", "parquet")

MOST_ROWS = 100
"""How many rows a terminal is shown. A pipe gets all."""

_EXAMPLES = """\
example:
  fittrace sql "SELECT phase, sum(self_ns) / 1e6 AS ms FROM spans GROUP BY phase ORDER BY ms DESC"
  fittrace sql traces/2026-01-31-train "SELECT * FROM batches" --format parquet -o batches.parquet

tables: fits, spans, batches, hooks, logs, samples, stops, sampled_batches, ops, data_pipeline, processes, notes, and
those of the control flow. "SHOW TABLES" lists all tables, "DESCRIBE spans" the columns of one.
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", metavar="[TRACE] QUERY", help="a run or a folder of runs, and the query")
    parser.add_argument("--format", choices=FORMATS, default="table", help="output format (default: table)")
    output = "write to a file, not to standard output"
    parser.add_argument("-o", "--output", type=parse_path, metavar="FILE", help=output)


def _run(arguments: argparse.Namespace) -> int:
    """Run the query and write its rows."""
    *traces, query = arguments.words
    if len(traces) > 1:
        raise FittraceError(f'sql: {len(arguments.words)} arguments given; quote the query: fittrace sql "SELECT ..."')
    on_terminal = arguments.output is None and sys.stdout.isatty()
    if on_terminal and arguments.format == "parquet":
        raise FittraceError("sql: a terminal cannot show Parquet; give a file with -o, or redirect the output")
    path = find_trace(traces[0] if traces else None)
    with progress(f"reading {path}", at_once=True) as report:
        from ..tables import TraceTables

        relation = TraceTables.open(path, report).relation(query)
        if arguments.format == "table":
            lines = _table(relation, on_terminal)
        elif not on_terminal:
            _write(relation, arguments.format, arguments.output)
    if arguments.format == "table":
        with _text(arguments.output) as file:
            file.writelines(f"{line}\n" for line in lines)
    elif on_terminal:
        # No progress line here: the rows appear on the terminal as they are read.
        _write(relation, arguments.format, None)
    return 0


def _table(relation: duckdb.DuckDBPyRelation, on_terminal: bool) -> list[str]:
    from ..tables.data_frames import frame
    from ..tables.database import read
    from ..views.terminal_table import table_lines

    if not on_terminal:
        return list(table_lines(frame(read(relation))))
    rows = frame(read(relation.limit(MOST_ROWS + 1)))
    lines = list(table_lines(rows[:MOST_ROWS], shutil.get_terminal_size().columns))
    if len(rows) > MOST_ROWS:
        lines.append(f"… and more: only {MOST_ROWS} rows are shown; --format csv, or a pipe, gets all")
    return lines


def _write(relation: duckdb.DuckDBPyRelation, form: str, output: Path | None) -> None:
    """Write the rows in pieces, so that they need not fit into memory."""
    from ..schema.safe_text import printable
    from ..tables.database import reading
    from ..views import row_formats

    with reading(relation) as pieces:
        if form == "parquet":
            with _binary(output) as binary:
                row_formats.write_parquet(pieces, binary)
            return
        texts = row_formats.json_pieces(pieces) if form == "json" else row_formats.csv_pieces(pieces)
        with _text(output) as file:
            for text in texts:
                # JSON escapes characters that a terminal would obey. CSV does not.
                file.write("\n".join(map(printable, text.split("\n"))) if file.isatty() else text)


@contextmanager
def _text(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    with replaced(output) as new, new.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _binary(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None:
        if not sys.stdout.writable():
            raise io.UnsupportedOperation  # standard output is closed
        yield sys.stdout.buffer
        return
    with replaced(output) as new, new.open("wb") as file:
        yield file


COMMAND = Subcommand(
    name="sql",
    help="query a trace in SQL",
    description="Answer one SELECT, in DuckDB's SQL. The query can read the tables of the trace and nothing else.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
    usage='fittrace sql [TRACE] "SELECT ..." [--format {table,csv,json,parquet}] [-o FILE]',
)
