"""The database of a trace: DuckDB over its stored tables. It can read their files and no others."""

from __future__ import annotations

import io
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import duckdb
import pyarrow as pa

from ..schema.errors import DamagedTrace
from .allowed_sql import explained, tables_read
from .column_types import no_rows
from .computed_tables import VIEWS
from .sql_literals import literal_paths, path_text
from .stored_tables import StoredTables

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


PIECE = 100_000
"""Rows in a piece, where a result is read piece by piece."""


class Database:
    """The tables of a trace.

    - `stored`: the stored tables that they are derived from.
    - `with_run`: whether they have a column `run`.

    The first query connects to DuckDB, which takes longer than most queries. A stored table is checked and opened by
    the first query that reads it. So a query of the fits does not wait for a hundred million spans.
    """

    def __init__(self, stored: StoredTables, with_run: bool) -> None:
        self._stored = stored
        self._with_run = with_run
        self._ready: set[str] = set()
        self._cursors: WeakKeyDictionary[DuckDBPyRelation, duckdb.DuckDBPyConnection] = WeakKeyDictionary()

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return _connect(self._stored.files())

    def query(self, sql: str) -> DuckDBPyRelation:
        """The rows that the user's `sql` selects. Raises `QueryError` unless it only reads tables."""
        names = tables_read(self._connection.cursor(), sql)
        if names is None or not names <= VIEWS.keys():
            self._prepare(VIEWS)
        else:
            self._prepare(names)
        return self._relation(sql)

    def table(self, name: str, columns: str = "*") -> DuckDBPyRelation:
        """All rows of the table `name`, in no order. `columns` is the SQL list of the columns to select."""
        self._prepare([name])
        return self._relation(f"SELECT {columns} FROM {name}")

    def stored(self, name: str, which: str = "") -> DuckDBPyRelation:
        """The rows of the stored table `name`. Within a process, they are in the order in which they were written.

        `which` is SQL to append to the `SELECT`, such as a `WHERE` clause.
        """
        self._prepare_stored(name)
        return self._relation(f"SELECT * FROM stored.{name} {which}")

    def over_stored(self, sql: str, tables: Iterable[str]) -> DuckDBPyRelation:
        """The rows that `sql`, which is fittrace's own, selects from the stored `tables`."""
        for table in tables:
            self._prepare_stored(table)
        return self._relation(sql)

    def _relation(self, sql: str) -> DuckDBPyRelation:
        # Each result has a cursor of its own, so that it can be read piece by piece while other queries run. In some
        # versions of DuckDB a relation holds no reference to its cursor, which would then be closed too early.
        cursor = self._connection.cursor()
        try:
            relation = cursor.sql(sql)
        except duckdb.Error as error:
            raise explained(error) from None
        self._cursors[relation] = cursor
        return relation

    def _prepare(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._ready:
                continue
            for table in VIEWS[name].stored:
                self._prepare_stored(table)
            columns = "*" if self._with_run else "* EXCLUDE (run)"
            self._connection.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM ({VIEWS[name].sql})")
            self._ready.add(name)

    def _prepare_stored(self, table: str) -> None:
        if f"stored.{table}" in self._ready:
            return
        # One scan for each process: the column `process` is then a constant in each, and takes no time.
        scans = [
            f"SELECT run, {process}::INTEGER AS process, * EXCLUDE (run) FROM {rows}"
            for process, rows in self._stored.partitions(table, self._connection).items()
        ]
        # An older trace may lack columns that were added later. The union with an empty table fills them with NULL.
        scans.append(no_rows(table))
        try:
            self._connection.execute(f"CREATE VIEW stored.{table} AS {' UNION ALL BY NAME '.join(scans)}")
        except duckdb.Error as error:
            where = self._stored.folder(table)
            raise DamagedTrace(f"{where}: cannot be read as the table {table} ({explained(error)})") from None
        self._ready.add(f"stored.{table}")


def read(relation: DuckDBPyRelation) -> pa.Table:
    """All rows of `relation`. Raises `QueryError` for errors while it is computed, such as a bad cast."""
    try:
        return relation.to_arrow_table()
    except duckdb.Error as error:
        raise explained(error) from None


def row_tuples(relation: DuckDBPyRelation) -> list[tuple[Any, ...]]:
    """All rows of `relation` as tuples. Raises `QueryError` as `read` does."""
    try:
        return relation.fetchall()
    except duckdb.Error as error:
        raise explained(error) from None


def row_dicts(relation: DuckDBPyRelation) -> list[dict[str, Any]]:
    """All rows of `relation` as dicts, by column. Raises `QueryError` as `read` does."""
    return [dict(zip(relation.columns, row, strict=True)) for row in row_tuples(relation)]


@contextmanager
def reading(relation: DuckDBPyRelation, rows: int = PIECE) -> Iterator[pa.RecordBatchReader]:
    """Read `relation` in pieces of `rows` rows, as it may be larger than memory. Raises `QueryError` as `read` does."""
    try:
        # DuckDB 1 has the method under another name.
        read_in_pieces = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
        yield read_in_pieces(rows)
    except io.UnsupportedOperation:
        raise  # an error of the stream that the caller writes to
    except (duckdb.Error, OSError) as error:
        # Arrow wraps an error of DuckDB in an OSError without a number. An OSError with a number is a real one.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise explained(error) from None


def _connect(files: Iterable[Path]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "allow_persistent_secrets": False,
            # The folder for sorts larger than memory. By default it would lie in the current directory. DuckDB makes
            # it when needed and removes it afterwards.
            "temp_directory": path_text(Path(tempfile.gettempdir(), f"fittrace-{uuid.uuid4().hex}")),
        },
    )
    # It is set only if it is on: in a notebook without widgets, DuckDB refuses to change this setting.
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (True,):
        connection.execute("SET enable_progress_bar = false")
    connection.execute("CREATE SCHEMA stored")
    connection.execute(f"SET allowed_paths = {literal_paths(files)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection
