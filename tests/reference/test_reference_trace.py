"""The traces in traces/reference-<engine>: each opens, is what it should be, and tells nothing of where it was made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fittrace
from fittrace.engines import ENGINES

ROOT = Path(__file__).parents[2]
TRACES = ROOT / "traces"

MOST_BYTES = 400_000

# Of any system: an absolute path, alone or inside a text, which a device of TensorFlow's is not.
ABSOLUTE = re.compile(r"(^|[\s\"'(=\[])(/(?!host:|device:|job:)\w|~/|[A-Za-z]:[\\/])|site-packages|dist-packages")

USERS = {"WorstBatch", "EarlyStopping", "ModelCheckpoint"}
KERAS_OWN = {"History", "ProgbarLogger"}
AVERAGING = {"BaseLogger"}
"""What makes the mean of an epoch in Keras 2, where the callbacks' logs are those of one batch."""


@dataclass(frozen=True)
class Reference:
    """One reference trace: the `engine`, the example's `argument`, Keras' own callbacks, and the roots of its files."""

    engine: str
    argument: str
    own: frozenset[str]
    packages: frozenset[str]

    def __str__(self) -> str:
        return self.engine

    @property
    def path(self) -> Path:
        return TRACES / f"reference-{self.engine}"

    @property
    def averages(self) -> bool:
        return self.own >= AVERAGING

    def files(self) -> list[Path]:
        return sorted(path for path in self.path.rglob("*") if path.is_file())


REFERENCES = [
    Reference("keras-2.2", "keras", frozenset(KERAS_OWN | AVERAGING), frozenset({"keras", "tensorflow_core"})),
    Reference("tf-keras-v1", "tf_keras-v1", frozenset(KERAS_OWN | AVERAGING), frozenset({"tf_keras", "keras"})),
    Reference("tf-keras", "tf_keras", frozenset(KERAS_OWN), frozenset({"tf_keras", "keras"})),
    Reference("keras-3", "keras", frozenset(KERAS_OWN), frozenset({"keras"})),
]


@pytest.fixture(scope="module", params=REFERENCES, ids=str)
def reference(request: pytest.FixtureRequest) -> Reference:
    found: Reference = request.param
    return found


@pytest.fixture(scope="module")
def trace(reference: Reference) -> fittrace.Trace:
    return fittrace.open(reference.path)


def test_there_is_one_for_each_engine() -> None:
    names = {engine.name for engine in ENGINES}
    assert {reference.engine for reference in REFERENCES} == names
    assert {path.name for path in TRACES.glob("reference-*")} == {f"reference-{name}" for name in names}


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


def test_it_is_small(reference: Reference) -> None:
    assert sum(path.stat().st_size for path in reference.files()) < MOST_BYTES


def test_it_holds_the_fit_and_the_evaluate_of_the_example(reference: Reference, trace: fittrace.Trace) -> None:
    fits = trace.fits()
    assert fits["method"].tolist() == ["fit", "evaluate"]
    assert fits["status"].tolist() == ["ok", "ok"]
    assert set(fits["engine"]) == {reference.engine}
    assert fits["batches"][0] == 75 * fits["epochs"][0]


def test_it_ended_well_and_misses_nothing(reference: Reference, trace: fittrace.Trace) -> None:
    process = trace.processes().iloc[0]
    assert process["ending"] == "closed"
    assert process[["dropped_detail", "dropped_batches", "damaged_bytes"]].sum() == 0
    assert trace.notes().empty
    assert trace.sampled_batches()["batch"].tolist() == [0, 1, 2]
    assert json.loads((reference.path / "run.json").read_text(encoding="utf-8"))["exit_code"] == 0


def test_it_has_every_callback(reference: Reference, trace: fittrace.Trace) -> None:
    hooks = trace.hooks()
    assert set(hooks.query("fit == 0")["callback"]) == USERS | reference.own
    changing = hooks[hooks["changed"].map(len) > 0]
    assert set(changing["callback"]) == {"WorstBatch"} | (AVERAGING if reference.averages else set())
    assert (changing["callback"] == "WorstBatch").sum() == trace.fits()["epochs"][0]


def test_it_was_stopped_early(trace: fittrace.Trace) -> None:
    stop = trace.stops().query("fit == 0").iloc[-1]
    assert stop[["value", "callback", "hook"]].tolist() == ["True", "EarlyStopping", "on_epoch_end"]
    assert stop["epoch"] == trace.fits()["epochs"][0] - 1


def test_loops_over_arrays_tell_the_samples(reference: Reference, trace: fittrace.Trace) -> None:
    samples = trace.samples().query("fit == 0 and stage == 'train'")
    counts = samples.groupby("epoch")["count"].sum().tolist()
    assert counts == ([1200] * trace.fits()["epochs"][0] if reference.averages else [])


def test_time_adds_up(trace: fittrace.Trace) -> None:
    spent = trace.spans().groupby("fit")["self_ns"].sum()
    assert spent.tolist() == trace.fits().set_index("fit")["duration_ns"].tolist()


@pytest.mark.parametrize(
    "path",
    [path for reference in REFERENCES for path in reference.files()],
    ids=lambda path: "-".join(path.relative_to(TRACES).parts[:2]),
)
def test_no_path_of_a_machine_is_in_it(path: Path) -> None:
    found = list(texts(path))
    assert found
    if path.relative_to(TRACES).parts[1] == "sources":
        return  # the engine's own text
    assert [text for text in found if ABSOLUTE.search(text)] == []


def test_no_machine_and_no_process_of_it_is_named(reference: Reference, trace: fittrace.Trace) -> None:
    facts = json.loads((reference.path / "run.json").read_text(encoding="utf-8"))
    assert (facts["host"], facts["cwd"], facts["python"]) == ("localhost", ".", "python")
    assert facts["argv"] == ["docs/examples/digits.py", reference.argument]
    process = trace.processes().iloc[0]
    assert process[["host", "executable", "pid", "parent_pid"]].tolist() == ["localhost", "python", 1, 0]
    assert {file.partition("/")[0] for file in trace.sites()["file"]} <= reference.packages
