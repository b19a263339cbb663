"""The writer of Parquet: what is given is what any reader finds, and a partition is there whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from synthetic import Size, make

from fittrace.schema.tables import TABLES
from fittrace.store.parquet import partition_writer
from fittrace.store.parquet.partition_writer import PartitionWriter, is_whole, partition
from fittrace.store.part_names import PART
from reading.stores import small_tables, write_run

NOTE = {"kind": ["engine"], "message": ["keras 9"]}


def notes(count: int, kind: str = "engine") -> dict[str, Any]:
    return {"kind": (np.zeros(count, np.int32), [kind]), "message": [str(number) for number in range(count)]}


def test_every_table_has_a_file_even_when_empty(tmp_path: Path) -> None:
    with PartitionWriter(tmp_path, "a1", 3) as writer:
        writer.append("notes", NOTE)
    for name, table in TABLES.items():
        files = list(partition(tmp_path, name, 3).iterdir())
        assert len(files) == 1 and PART.fullmatch(files[0].name)
        schema = pq.read_schema(files[0])
        assert schema.names == ["run", *(column.name for column in table.columns)]
        assert [f.nullable for f in schema] == [False, *(column.nullable for column in table.columns)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(TABLES)


@pytest.mark.parametrize("reader", ["duckdb", "pandas", "dataset"])
def test_readers_of_hive_partitions_see_one_table(tmp_path: Path, reader: str) -> None:
    for process in (0, 1):
        with PartitionWriter(tmp_path, "a1", process) as writer:
            writer.append("notes", notes(2))
    if reader == "duckdb":
        query = f"SELECT * FROM read_parquet('{tmp_path}/notes/*/*.parquet', hive_partitioning = true)"
        frame = duckdb.execute(query).df()
    elif reader == "pandas":
        frame = pd.read_parquet(tmp_path / "notes")
    else:
        frame = ds.dataset(tmp_path / "notes", partitioning="hive").to_table().to_pandas()
    found = sorted(zip(frame["process"].astype(int), frame["message"], frame["run"], strict=True))
    assert found == [(0, "0", "a1"), (0, "1", "a1"), (1, "0", "a1"), (1, "1", "a1")]


@pytest.mark.parametrize(
    "kinds",
    [
        (np.array([1, 0, -1], np.int32), ["engine", "fault"]),
        ["fault", "engine", None],
        pa.array(["fault", "engine", None]),
        pa.array(["fault", "engine", None]).dictionary_encode(),
    ],
    ids=["codes", "list", "arrow", "arrow-dictionary"],
)
def test_repeated_text_is_taken_in_each_form(tmp_path: Path, kinds: object) -> None:
    texts = {name: ["x"] * 3 for name in ("engine", "file", "function", "kind")}
    row = {"site": [0, 1, 2], "line": [1, 2, 3], "phase": kinds, "depth": [0] * 3} | texts
    row |= {"opens": [["prepare"], [], []], "fence": [False] * 3}
    with PartitionWriter(tmp_path, "a1", 0) as writer:
        writer.append("sites", row)
        writer.append("sites", row | {"phase": (np.array([0, 0, 0], np.int32), ["later"])})
    found = pq.read_table(tmp_path / "sites")["phase"].to_pylist()
    assert found == ["fault", "engine", None, "later", "later", "later"]


@pytest.mark.parametrize(
    "values",
    [[7, None], np.ma.masked_array([7, 8], [False, True]), pa.array([7, None])],
    ids=["list", "masked", "arrow"],
)
def test_missing_numbers_are_taken_in_each_form(tmp_path: Path, values: object) -> None:
    tables = small_tables()["batches"] | {"size": values}
    with PartitionWriter(tmp_path, "a1", 0) as writer:
        writer.append("batches", tables)
    assert pq.read_table(tmp_path / "batches")["size"].to_pylist() == [7, None]


def test_nan_is_a_value_and_none_is_missing(tmp_path: Path) -> None:
    with PartitionWriter(tmp_path, "a1", 0) as writer:
        writer.append("logs", small_tables()["logs"])
    values = pq.read_table(tmp_path / "logs")["value"].to_pylist()
    assert [str(value) for value in values] == ["1.0", "0.5", "None", "2.0", "0.1", "None", "nan", "0.75"]


def test_rows_keep_their_order_over_appends_and_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_writer, "ROW_GROUP", 10)
    with PartitionWriter(tmp_path, "a1", 0) as writer:
        for count in (3, 0, 25, 1, 4):
            writer.append("notes", notes(count, kind=f"of-{count}"))
    file = pq.ParquetFile(next((tmp_path / "notes" / "process=0").iterdir()))
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [10, 10, 10, 3]
    written = [(f"of-{count}", str(number)) for count in (3, 25, 1, 4) for number in range(count)]
    read = file.read().to_pydict()
    assert list(zip(read["kind"], read["message"], strict=True)) == written


def test_a_new_logs_key_begins_a_part_only_when_rows_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_writer, "ROW_GROUP", 4)
    base = {name: values for name, values in small_tables()["batches"].items() if not name.startswith("logs.")}
    with PartitionWriter(tmp_path, "a1", 0) as writer:
        writer.append("batches", base | {"logs.loss": [1.0, 2.0]})
        writer.append("batches", base | {"logs.val.acc": [3.0, None]})  # two rows are buffered, none written
        writer.append("batches", base)
        writer.append("batches", base | {"logs.late": [4.0, 5.0]})
    parts = sorted((tmp_path / "batches" / "process=0").iterdir())
    assert [pq.read_schema(part).names[-3:] for part in parts] == [
        ["status", "logs.loss", "logs.val.acc"],
        ["logs.loss", "logs.val.acc", "logs.late"],
    ]
    whole = pd.concat([pd.read_parquet(part) for part in parts])
    assert whole["logs.loss"].fillna(0).tolist() == [1, 2, 0, 0, 0, 0, 0, 0]
    assert whole["logs.val.acc"].fillna(0).tolist() == [0, 0, 3, 0, 0, 0, 0, 0]
    assert whole["logs.late"].fillna(0).tolist() == [0, 0, 0, 0, 0, 0, 4, 5]


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        ("notes", {"kind": ["a"]}, "notes.message: no values given"),
        ("notes", {"kind": ["a"], "message": ["b", "c"]}, "unequal length"),
        ("notes", NOTE | {"colour": ["red"]}, "notes.colour: no such column"),
        ("batches", {"log.loss": [1.0]}, "batches.log.loss: no such column"),
        ("sites", {"site": ["seven"]}, "sites.site:"),
    ],
)
def test_wrong_columns_are_named(tmp_path: Path, table: str, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message), PartitionWriter(tmp_path, "a1", 0) as writer:
        writer.append(table, columns)


def test_an_interrupted_writer_leaves_nothing_and_keeps_the_old(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), PartitionWriter(tmp_path, "a1", 0) as writer:
        writer.append("notes", NOTE)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    assert not is_whole(tmp_path, 0)
    with PartitionWriter(tmp_path, "a1", 0) as writer:
        writer.append("notes", NOTE)
    with pytest.raises(KeyboardInterrupt), PartitionWriter(tmp_path, "a1", 0) as writer:
        raise KeyboardInterrupt
    assert pq.read_table(tmp_path / "notes")["message"].to_pylist() == ["keras 9"]
    assert is_whole(tmp_path, 0)


def test_a_second_writer_replaces_the_first(tmp_path: Path) -> None:
    for count in (5, 2):
        with PartitionWriter(tmp_path, "a1", 0) as writer:
            writer.append("notes", notes(count))
    assert len(pq.read_table(tmp_path / "notes")) == 2


def test_what_a_killed_writer_left_is_cleared(tmp_path: Path) -> None:
    PartitionWriter(tmp_path, "a1", 0).__enter__().append("notes", NOTE)
    assert not is_whole(tmp_path, 0)
    write_run(tmp_path, "a2")
    with PartitionWriter(tmp_path, "a1", 0):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*TABLES, "a2"])


def test_a_batch_is_small_at_rest(tmp_path: Path) -> None:
    (folder,) = make(tmp_path, Size(batches=20_000))
    size = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    # Two user callbacks, three keys, noise on every duration: 103 when this was written, and some for the footers.
    assert size / 20_000 < 115
