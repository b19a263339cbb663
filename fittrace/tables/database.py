"""The database that answers for a trace: DuckDB over its stored tables, able to read their files and nothing else."""

from __future__ import annotations

import io
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import duckdb
import pyarrow as pa

from ..schema.errors import DamagedTrace
from .allowed_sql import explained, tables_read
from .column_types import no_rows
from .derived_tables import VIEWS
from .sql_literals import literal_paths, path_text
from .stored_tables import StoredTables

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


PIECE = 100_000
"""Rows that are read at once where an answer is read piece by piece."""


class Database:
    """The tables of a trace, made from its `stored` tables. They have a `run` column where `with_run`.

    A stored table is checked and opened when the first query reads it, so that a question about fits does not wait for
    a hundred million spans.
    """

    def __init__(self, stored: StoredTables, with_run: bool) -> None:
        self._stored = stored
        self._with_run = with_run
        self._ready: set[str] = set()
        self._cursors: WeakKeyDictionary[DuckDBPyRelation, duckdb.DuckDBPyConnection] = WeakKeyDictionary()
        self._connection = _connect(stored.files())

    def query(self, sql: str) -> DuckDBPyRelation:
        """The rows that the user's `sql` selects. Raises `QueryError` where it does anything but read the tables."""
        names = tables_read(self._connection.cursor(), sql)
        if names is None or not names <= VIEWS.keys():
            self._prepare(VIEWS)
        else:
            self._prepare(names)
        return self._relation(sql)

    def table(self, name: str, columns: str = "*") -> DuckDBPyRelation:
        """All rows of one of the trace's tables, in no order; `columns` is what SQL has after `SELECT`."""
        self._prepare([name])
        return self._relation(f"SELECT {columns} FROM {name}")

    def stored(self, name: str, which: str = "") -> DuckDBPyRelation:
        """The rows of a table as it is stored, in the order of writing within each process; all of them, or those that
        `which` leaves, SQL from its `WHERE` on."""
        self._prepare_stored(name)
        return self._relation(f"SELECT * FROM stored.{name} {which}")

    def over_stored(self, sql: str, tables: Iterable[str]) -> DuckDBPyRelation:
        """The rows that `sql`, one of ours, selects from `tables` as they are stored."""
        for table in tables:
            self._prepare_stored(table)
        return self._relation(sql)

    def _relation(self, sql: str) -> DuckDBPyRelation:
        # A cursor of its own, so that an answer can be read piece by piece while others are asked for. Some versions
        # of DuckDB close it with the last reference to it, which a relation does not hold.
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
        # One scan for each process, not one over everything: which process a row is of is then a constant.
        scans = [
            f"SELECT run, {process}::INTEGER AS process, * EXCLUDE (run) FROM {rows}"
            for process, rows in self._stored.partitions(table, self._connection).items()
        ]
        # A trace that was made before a column was added has nothing in it.
        scans.append(no_rows(table))
        try:
            self._connection.execute(f"CREATE VIEW stored.{table} AS {' UNION ALL BY NAME '.join(scans)}")
        except duckdb.Error as error:
            where = self._stored.folder(table)
            raise DamagedTrace(f"{where}: cannot be read as the table {table} ({explained(error)})") from None
        self._ready.add(f"stored.{table}")


def read(relation: DuckDBPyRelation) -> pa.Table:
    """All rows of `relation`. Raises `QueryError` for what goes wrong only while computing, such as a bad cast."""
    try:
        return relation.to_arrow_table()
    except duckdb.Error as error:
        raise explained(error) from None


def row_dicts(relation: DuckDBPyRelation) -> list[dict[str, Any]]:
    """All rows of `relation`, each a dict by column. Raises `QueryError` as `read` does."""
    try:
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    except duckdb.Error as error:
        raise explained(error) from None


@contextmanager
def reading(relation: DuckDBPyRelation, rows: int = PIECE) -> Iterator[pa.RecordBatchReader]:
    """The rows of `relation`, so many at once, for answers larger than memory. Raises `QueryError` as `read` does."""
    try:
        # DuckDB 1 calls it otherwise.
        read_in_pieces = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
        yield read_in_pieces(rows)
    except io.UnsupportedOperation:
        raise  # of the stream that the rows are written to
    except (duckdb.Error, OSError) as error:
        # Arrow hands on what the database says as an error of input and output.
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
            # Where sorts larger than memory go: the default is a folder where the program happens to stand.
            # It is made when needed and removed after.
            "temp_directory": path_text(Path(tempfile.gettempdir(), f"fittrace-{uuid.uuid4().hex}")),
        },
    )
    # Not set where it is off already: in a notebook without widgets DuckDB refuses to be asked.
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (True,):
        connection.execute("SET enable_progress_bar = false")
    connection.execute("CREATE SCHEMA stored")
    connection.execute(f"SET allowed_paths = {literal_paths(files)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection
