"""A damaged trace whose spans have a callback without a hook, and positions that no list has, is shown and compared."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from fittrace.analysis.diff import compare
from fittrace.report import document, page
from fittrace.schema import run_facts as schema_run
from fittrace.schema.tables import TABLES
from fittrace.store.parquet.partition_writer import PartitionWriter
from fittrace.tables import TraceTables

REFERENCE = Path(__file__).parents[2] / "traces" / "reference-keras-2.2"


@pytest.fixture(params=["some hooks are lost", "all hooks are lost"])
def damaged(tmp_path: Path, request: pytest.FixtureRequest) -> TraceTables:
    folder = tmp_path / "damaged"
    folder.mkdir()
    facts = schema_run.new(str(folder), "damaged", ["train.py"], "python", "0")
    schema_run.end(str(folder), facts, exit_code=0, signal=None)
    with PartitionWriter(folder, "damaged", 0) as writer:
        for table in TABLES.values():
            rows = ds.dataset(REFERENCE / table.name, format="parquet").to_table()
            columns = {name: plain(rows[name]) for name in rows.column_names if name not in ("run", "process")}
            if table.name == "spans":
                number = columns["span"]
                is_lost = pc.less(number, 600 if "some" in request.param else 1 << 40)
                columns["hook"] = pc.if_else(is_lost, pa.scalar(None, pa.string()), columns["hook"])
                odd = pc.if_else(pc.less(number, 300), pa.scalar(-5, pa.int32()), pa.scalar(2_000_000_000, pa.int32()))
                columns["position"] = pc.if_else(pc.less(number, 900), odd, columns["position"])
            if rows.num_rows:
                writer.append(table.name, columns)
    return TraceTables.open(folder)


def plain(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array


def test_it_is_shown(damaged: TraceTables) -> None:
    assert page(document(damaged))


def test_a_call_without_a_hook_is_no_row_of_hooks(damaged: TraceTables) -> None:
    assert damaged.hooks()["hook"].notna().all()


def test_it_is_compared(damaged: TraceTables) -> None:
    reference = TraceTables.open(REFERENCE)
    assert compare(damaged, reference).differences
    assert compare(reference, damaged).differences
