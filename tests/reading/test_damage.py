"""Bytes that are not those that were written never become rows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fittrace.schema.errors import DamagedTrace, FittraceError, NotATrace
from fittrace.tables import TraceTables
from fittrace.tables.computed_tables import VIEWS
from reading.stores import write_run


def _read_all(path: Path) -> dict[str, str]:
    trace = TraceTables.open(path)
    return {table: getattr(trace, table)().to_csv() for table in VIEWS}


@pytest.mark.parametrize("seed", range(40))
def test_one_flipped_bit_is_found(run: Path, seed: int) -> None:
    chance = random.Random(seed)
    file = chance.choice(sorted(run.rglob("*.parquet")))
    data = bytearray(file.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    file.write_bytes(data)
    with pytest.raises(DamagedTrace, match=r"part-0.*damaged"):
        _read_all(run)


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_a_cut_file_is_found(run: Path, length: int) -> None:
    file = next(run.glob("spans/process=0/*.parquet"))
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(DamagedTrace):
        _read_all(run)


def test_the_other_tables_stay_readable(run: Path) -> None:
    next(run.glob("spans/process=0/*.parquet")).write_bytes(b"")
    trace = TraceTables.open(run)
    assert len(trace.fits()) == 1 and len(trace.batches()) == 2
    with pytest.raises(DamagedTrace):
        trace.sql("SELECT count(*) FROM hooks")


def test_foreign_files_are_not_read(run: Path) -> None:
    before = _read_all(run)
    spans = run / "spans"
    (spans / "process=0" / "part-1.parquet").write_text("no checksum in its name")
    (spans / "process=0" / ".part-1-00000000.parquet").write_text("hidden")
    (spans / "process=x").mkdir()
    (spans / "notes.txt").write_text("mine")
    assert _read_all(run) == before


def test_a_foreign_file_with_the_right_name_is_refused(run: Path) -> None:
    (run / "spans" / "process=0" / "part-1-00000001.parquet").write_text("not Parquet")
    with pytest.raises(DamagedTrace):
        TraceTables.open(run).spans()


@pytest.mark.parametrize(
    "facts",
    ["", "{", "[]", "7", '{"schema": 1}', '{"schema": "1", "run": "a1"}', '{"schema": 99, "run": "a1"}', "\ud800"],
)
def test_damaged_facts_are_told(tmp_path: Path, facts: str) -> None:
    folder = write_run(tmp_path)
    (folder / "run.json").write_text(facts, errors="surrogatepass")
    with pytest.raises(NotATrace, match="a1"):
        TraceTables.open(folder)


def test_errors_are_of_one_family() -> None:
    assert issubclass(DamagedTrace, FittraceError) and issubclass(NotATrace, FittraceError)
