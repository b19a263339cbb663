"""`sql` reads the tables of the trace and nothing else: neither what the query says nor what the database allows."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from fittrace.tables import QueryError, TraceTables
from fittrace.tables.computed_tables import VIEWS

SECRET = "the secret"

FORBIDDEN = [
    "SELECT * FROM read_csv('{outside}')",
    "SELECT * FROM read_text('{outside}')",
    "SELECT * FROM read_text('{run}/../../outside.csv')",
    "SELECT * FROM read_text('{run}/run.json')",
    "SELECT * FROM read_blob('{part}')",
    "SELECT * FROM '{outside}'",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/**')",
    "SELECT * FROM parquet_metadata('{part}')",
    "SELECT * FROM sniff_csv('{outside}')",
    "SELECT getenv('HOME')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query('WITH x AS (COPY (SELECT 1) TO ''{part}'') SELECT 1')",
    "SELECT * FROM query_table('fits')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT * FROM enable_logging(storage = 'file', storage_path = '{run}')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM secret_in_python",
    "COPY (SELECT 1) TO '{run}/x.csv'",
    "COPY fits TO '{part}' (FORMAT parquet)",
    "WITH x AS (COPY (SELECT 1) TO '{part}') SELECT * FROM x",
    "SELECT * FROM (WITH x AS (COPY (SELECT 1) TO '{part}') SELECT 1)",
    "WITH x AS (INSERT INTO fits VALUES (1) RETURNING *) SELECT * FROM x",
    "INSERT INTO fits VALUES (1)",
    "CREATE TABLE mine AS SELECT 1",
    "DROP VIEW fits",
    "ATTACH '{run}/x.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "PRAGMA disable_optimizer",
    "CALL enable_logging()",
    "EXPORT DATABASE '{run}/x'",
    "EXPLAIN ANALYZE SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW fits",
    "PIVOT spans ON phase USING sum(duration_ns)",
    "",
    "-- nothing",
]


@pytest.mark.parametrize("query", FORBIDDEN)
def test_everything_but_reading_tables_is_refused(run: Path, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.parent)
    secret_in_python = [SECRET]  # noqa: F841 - what a replacement scan would find
    (run.parent.parent / "outside.csv").write_text(f"a\n{SECRET}\n")
    part = next(run.glob("fits/process=0/*.parquet"))
    before = _everything(run.parent.parent)
    trace = TraceTables.open(run)
    with pytest.raises(QueryError) as caught:
        trace.sql(query.format(run=run, part=part, outside=run.parent.parent / "outside.csv"))
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)
    assert _everything(run.parent.parent) == before
    assert len(trace.fits()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('{outside}')",
        "SELECT * FROM glob('{run}/*')",
        "COPY (SELECT 1) TO '{run}/x.csv'",
        "ATTACH '{run}/x.db'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "LOAD httpfs",
        "INSTALL httpfs",
        "SELECT * FROM secret_in_python",
    ],
)
def test_the_database_itself_refuses(run: Path, statement: str) -> None:
    """The second lock: should a query pass the first, the database still has no way out."""
    secret_in_python = [SECRET]  # noqa: F841 - what a replacement scan would find
    outside = run.parent / "outside.csv"
    outside.write_text(SECRET)
    connection = TraceTables.open(run)._database._connection
    with pytest.raises(duckdb.Error):
        connection.execute(statement.format(run=run, outside=outside)).fetchall()


@pytest.mark.parametrize(
    "query",
    [
        "FROM fits",
        "SELECT 1;",
        "select * from FITS",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n",
        "SELECT * FROM range(3), generate_series(1, 2), unnest([1, 2])",
        "SELECT (SELECT count(*) FROM spans s WHERE s.fit = f.fit) FROM fits f UNION SELECT 1",
        "DESCRIBE hooks",
        "SHOW TABLES",
        "SUMMARIZE spans",
        "SELECT * FROM stored.logs, spans",
        "SELECT phase, median(duration_ns) OVER (PARTITION BY phase) FROM main.spans QUALIFY true",
        "SELECT table_name FROM information_schema.tables",
        "PIVOT (SELECT phase, duration_ns FROM spans) ON phase IN ('fit', 'batch') USING sum(duration_ns)",
        "VALUES (1, 'a;b')",
    ],
)
def test_reading_in_every_form_is_allowed(trace: TraceTables, query: str) -> None:
    assert len(trace.sql(query)) > 0


def test_show_tables_names_them_all(trace: TraceTables) -> None:
    names = set(trace.sql("SHOW TABLES").iloc[:, 0])
    assert names == set(VIEWS)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT nope FROM spans", "nope"),
        ("SELECT * FROM hoks", "hooks"),
        ("SELECT CAST(phase AS INTEGER) FROM spans", "convert"),
        ("SELECT error('a\nb') FROM fits", "a b"),
        ("SELECT '\x1b[31m' +", "syntax error"),
    ],
)
def test_wrong_sql_is_explained_on_one_line(trace: TraceTables, query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        trace.sql(query)
    assert str(caught.value).isprintable()


def _everything(directory: Path) -> dict[str, bytes]:
    files = [Path(base, name) for base, _, names in os.walk(directory) for name in names]
    return {str(path): path.read_bytes() for path in files}
