"""The database that answers for a trace: DuckDB over its Parquet files, able to read those files and nothing else."""

from __future__ import annotations

import io
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ..schema.errors import DamagedTrace, FittraceError
from ..schema.safe_text import printable
from ..schema.tables import TABLES
from ..store.parquet import footers, part_names
from ..store.run_files import RunFiles
from .allowed_sql import explained, tables_read
from .column_types import check_types, no_rows
from .derived_tables import VIEWS
from .sql_literals import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


PIECE = 100_000
"""Rows that are read at once where an answer is read piece by piece."""


# Before version 2, the last for Python 3.10, DuckDB does not know whole numbers that are split into byte streams: Arrow
# reads for it then, into memory.
_READS_OUR_ENCODINGS = int(duckdb.__version__.partition(".")[0]) >= 2


class Database:
    """The tables of `runs`, with a `run` column where `with_run`.

    A table's files are checked and opened when the first query reads it, so that a question about fits does not wait
    for a hundred million spans.
    """

    def __init__(self, runs: Sequence[RunFiles], with_run: bool) -> None:
        self._with_run = with_run
        self._parts = {table: _by_process(runs, table) for table in TABLES}
        self._ready: set[str] = set()
        self._cursors: WeakKeyDictionary[DuckDBPyRelation, duckdb.DuckDBPyConnection] = WeakKeyDictionary()
        everything = [file for parts in self._parts.values() for files in parts.values() for file in files]
        self._connection = _connect(everything)

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
        parts = self._parts[table]
        part_names.verify(file for files in parts.values() for file in files)
        footers.check(table, (file for files in parts.values() for file in files))
        # One scan per process number, not one over everything: which process a row is of is then a constant. The
        # number is not read as a hive partition, since folders above the trace may be named `x=y` too.
        scans = [
            f"SELECT run, {process}::INTEGER AS process, * EXCLUDE (run) FROM {self._scan(table, process, files)}"
            for process, files in parts.items()
        ]
        # A trace that was made before a column was added has nothing in it.
        scans.append(no_rows(table))
        where = next((str(files[0].parent.parent) for files in parts.values()), table)
        try:
            self._connection.execute(f"CREATE VIEW stored.{table} AS {' UNION ALL BY NAME '.join(scans)}")
        except duckdb.Error as error:
            raise DamagedTrace(f"{where}: cannot be read as the table {table} ({explained(error)})") from None
        found = self._connection.execute(f"DESCRIBE stored.{table}").fetchall()
        check_types(table, ((name, kind) for name, kind, *_ in found), where)
        self._ready.add(f"stored.{table}")

    def _scan(self, table: str, process: int, files: list[Path]) -> str:
        """What follows `FROM` to read the rows of `files`."""
        if _READS_OUR_ENCODINGS:
            return f"read_parquet({_literals(files)}, union_by_name = true, hive_partitioning = false)"
        parts = pa.concat_tables([pq.ParquetFile(file).read() for file in files], promote_options="default")
        name = f"stored.{table}_{process}"
        self._connection.register("parts", parts)
        self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM parts")
        self._connection.unregister("parts")
        return name


def read(relation: DuckDBPyRelation) -> pa.Table:
    """All rows of `relation`. Raises `QueryError` for what goes wrong only while computing, such as a bad cast."""
    try:
        return relation.to_arrow_table()
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


def _by_process(runs: Sequence[RunFiles], table: str) -> dict[int, list[Path]]:
    found: dict[int, list[Path]] = {}
    for run in runs:
        for process, files in run.parts(table).items():
            if files:
                found.setdefault(process, []).extend(file.absolute() for file in files)
    return dict(sorted(found.items()))


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
            "temp_directory": _text(Path(tempfile.gettempdir(), f"fittrace-{uuid.uuid4().hex}")),
        },
    )
    # Not set where it is off already: in a notebook without widgets DuckDB refuses to be asked.
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (True,):
        connection.execute("SET enable_progress_bar = false")
    connection.execute("CREATE SCHEMA stored")
    connection.execute(f"SET allowed_paths = {_literals(files)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _literals(files: Iterable[Path]) -> str:
    """A list of paths in SQL. DuckDB takes a path that names a file as it is, whatever wildcards are in it."""
    return "[" + ", ".join(literal(_text(file)) for file in files) + "]"


def _text(path: Path) -> str:
    """`path` as text. Raises `FittraceError` where it is not UTF-8: the database can open no such path."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FittraceError(
            f"{printable(text)}: a path that is not UTF-8; set TMPDIR to a folder whose path is"
        ) from None
    return text
