"""Parquet whose footers claim more than fittrace writes: refused with the number, before anything is read for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fittrace.cli import main
from fittrace.schema import limits
from fittrace.schema.errors import DamagedTrace
from fittrace.store import part_names
from fittrace.tables import TraceTables

CLAIMS: dict[str, tuple[Callable[[], pa.Table], str]] = {
    "rows": (lambda: pa.table({"message": pa.repeat("x", 200_000)}), "200,000 rows in a row group; at most 131,072"),
    "columns": (lambda: pa.table({f"c{at}": [1] for at in range(5000)}), "5,000 columns; at most 4,160"),
    "bytes": (lambda: pa.table({"message": ["x" * (1 << 20)] * 70}), "bytes in a column; at most 67,108,864"),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_footer_that_claims_too_much_is_refused(run: Path, claim: str, capsys: pytest.CaptureFixture[str]) -> None:
    made, message = CLAIMS[claim]
    file = next(run.glob("notes/*/*.parquet"))
    file.unlink()
    new = file.with_name("part-0.parquet")
    pq.write_table(made(), new, row_group_size=1 << 20, compression="zstd", use_dictionary=False)
    part_names.sealed(new)
    with pytest.raises(DamagedTrace, match=message):
        TraceTables.open(run).notes()
    assert main(["show", str(run)]) == 2 and message in capsys.readouterr().err


def test_what_is_no_parquet_is_refused(run: Path) -> None:
    file = next(run.glob("notes/*/*.parquet"))
    file.unlink()
    new = file.with_name("part-0.parquet")
    new.write_bytes(b"PAR1" + b"\xff" * 100 + b"PAR1")
    part_names.sealed(new)
    with pytest.raises(DamagedTrace, match="no Parquet that can be read"):
        TraceTables.open(run).notes()


@pytest.mark.parametrize("how", ["null", "gone"])
def test_values_that_are_always_there_may_not_be_missing(run: Path, how: str) -> None:
    (file,) = (run / "batches" / "process=0").iterdir()
    table = pq.ParquetFile(file).read()
    place = table.column_names.index("last_batch")
    nulls = pa.nulls(table.num_rows, pa.int64())
    table = table.remove_column(place) if how == "gone" else table.set_column(place, "last_batch", nulls)
    file.unlink()
    pq.write_table(table, file.with_name("part-0.parquet"))
    part_names.sealed(file.with_name("part-0.parquet"))
    with pytest.raises(DamagedTrace, match="values may be missing in the column last_batch"):
        TraceTables.open(run).batches()


OTHER_TYPES = {
    "text": ("epoch", pa.array(["0"])),
    "a list": ("epoch", pa.array([[0]], pa.list_(pa.int64()))),
    "capital letters": ("EPOCH", pa.array(["0"])),
    "a struct": ("epoch", pa.array([{"x": 0}])),
    "a duration, by Arrow's note": ("duration_ns", pa.array([0], pa.duration("ns"))),
    "text in the logs": ("logs.lr", pa.array(["0"])),
}


@pytest.mark.parametrize("other", OTHER_TYPES)
def test_a_column_of_another_type_is_refused(run: Path, other: str) -> None:
    name, value = OTHER_TYPES[other]
    (file,) = (run / "batches" / "process=0").iterdir()
    table = pq.ParquetFile(file).read()
    if name.lower() in table.column_names:
        table = table.remove_column(table.column_names.index(name.lower()))
    values = pa.concat_arrays([value] * table.num_rows)
    table = table.append_column(pa.field(name, values.type, nullable=name != "duration_ns"), values)
    file.unlink()
    pq.write_table(table, file.with_name("part-0.parquet"))
    part_names.sealed(file.with_name("part-0.parquet"))
    with pytest.raises(DamagedTrace, match=f"the column {name} of batches is"):
        TraceTables.open(run).batches()


def test_many_rows_go_into_as_many_row_groups(tmp_path: Path) -> None:
    from fittrace.schema.tables import TABLES
    from fittrace.store.parquet.footers import check
    from fittrace.store.parquet.partition_writer import PartitionWriter

    with PartitionWriter(tmp_path, "a1", 0) as writer:
        writer.append("notes", {"kind": ["x"] * 300_000, "message": pa.repeat("same", 300_000)})
    check("notes", (tmp_path / "notes").rglob("*.parquet"))
    assert limits.BATCH_KEYS + max(len(table.columns) for table in TABLES.values()) < limits.COLUMNS
