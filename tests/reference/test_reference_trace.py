"""The trace in traces/reference-keras-3: it opens, is what it should be, and tells nothing of where it was made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fittrace

ROOT = Path(__file__).parents[2]
TRACE = ROOT / "traces" / "reference-keras-3"

USERS = {"WorstBatch", "EarlyStopping", "ModelCheckpoint"}
KERAS_OWN = {"History", "ProgbarLogger"}

MOST_BYTES = 300_000

# Of any system: an absolute path, alone or inside a text, which a device of TensorFlow's is not.
ABSOLUTE = re.compile(r"(^|[\s\"'(=\[])(/(?!host:|device:)\w|~/|[A-Za-z]:[\\/])|site-packages|dist-packages")


@pytest.fixture(scope="module")
def trace() -> fittrace.Trace:
    return fittrace.open(TRACE)


def files() -> list[Path]:
    return sorted(path for path in TRACE.rglob("*") if path.is_file())


def texts(path: Path) -> Iterator[str]:
    """Every text in a file, the names and metadata of its columns included."""
    if path.suffix == ".json":
        yield from json_texts(json.loads(path.read_text(encoding="utf-8")))
        return
    table = pq.ParquetFile(path).read()
    yield str(table.schema)
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            yield from (text for chunk in column.chunks for text in chunk.dictionary.to_pylist())
        elif pa.types.is_string(column.type):
            yield from (text for text in column.to_pylist() if text is not None)


def json_texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from json_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from json_texts(inner)
    elif isinstance(value, str):
        yield value


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in files()) < MOST_BYTES


def test_it_holds_the_fit_and_the_evaluate_of_the_example(trace: fittrace.Trace) -> None:
    fits = trace.fits()
    assert fits["method"].tolist() == ["fit", "evaluate"]
    assert fits["status"].tolist() == ["ok", "ok"]
    assert set(fits["engine"]) == {"keras-3"}
    assert fits["batches"][0] == 75 * fits["epochs"][0]


def test_it_ended_well_and_misses_nothing(trace: fittrace.Trace) -> None:
    process = trace.processes().iloc[0]
    assert process["ending"] == "closed"
    assert process[["dropped_detail", "dropped_batches", "damaged_bytes"]].sum() == 0
    assert trace.notes().empty
    assert trace.samples()["batch"].tolist() == [0, 1, 2]
    assert json.loads((TRACE / "run.json").read_text(encoding="utf-8"))["exit_code"] == 0


def test_it_has_every_callback(trace: fittrace.Trace) -> None:
    hooks = trace.hooks()
    assert set(hooks.query("fit == 0")["callback"]) == USERS | KERAS_OWN
    changing = hooks[hooks["changed"].map(len) > 0]
    assert set(changing["callback"]) == {"WorstBatch"}
    assert len(changing) == trace.fits()["epochs"][0]


def test_time_adds_up(trace: fittrace.Trace) -> None:
    spent = trace.spans().groupby("fit")["self_ns"].sum()
    assert spent.tolist() == trace.fits().set_index("fit")["duration_ns"].tolist()


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(TRACE).parts[0])
def test_no_path_of_a_machine_is_in_it(path: Path) -> None:
    found = list(texts(path))
    assert found
    assert [text for text in found if ABSOLUTE.search(text)] == []


def test_no_machine_and_no_process_of_it_is_named(trace: fittrace.Trace) -> None:
    facts = json.loads((TRACE / "run.json").read_text(encoding="utf-8"))
    assert (facts["host"], facts["cwd"], facts["python"]) == ("localhost", ".", "python")
    assert facts["argv"] == ["docs/examples/digits.py"]
    process = trace.processes().iloc[0]
    assert process[["host", "executable", "pid", "parent_pid"]].tolist() == ["localhost", "python", 1, 0]
    assert all(file.startswith(("keras/src/", "tensorflow/python/")) for file in trace.sites()["file"])
