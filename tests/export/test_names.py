"""A name from a trace becomes a part of a path only where it is plain: nothing is written outside of the output."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
from reading.stores import columns, small_tables, write_run

from fittrace.cli import main
from fittrace.cli.export import FORMATS
from fittrace.schema.plain_names import LONGEST, is_plain
from fittrace.store.parquet.partition_writer import PartitionWriter

BAD = [
    *(
        "",
        ".",
        "..",
        "../x",
        "../../../x",
        "a/../../../x",
        "/tmp/x",
        "a/b",
        "a\\b",
        "..\\x",
        "c:\\x",
        "c:x",
        "//host/x",
    ),
    *(
        "a\x00b",
        "a\nb",
        "a\x1b[2J",
        "a\u202eb",
        "\ud800",
        " a",
        "a ",
        "a.",
        "con",
        "NUL.txt",
        "Com1",
        "LPT¹",
        "x" * 201,
    ),
    "ä" * 101,
]
GOOD = ["a1", "2026-01-31-train", "größe 2", ".hidden", "x" * LONGEST, "console", "com10", "a..b", "$HOME", "~", "-rf"]


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_what_is_not_plain(name: str) -> None:
    assert not is_plain(name)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_plain(name: str) -> None:
    assert is_plain(name)


@pytest.mark.parametrize("name", [None, 3, b"a", ["a"], float("nan")])
def test_what_is_no_text_is_not_plain(name: object) -> None:
    assert not is_plain(name)


def hostile(folder: Path, name: str) -> Path:
    """A folder of two runs that are called `name` in all places where a run is named; its stages are, too."""
    tables = small_tables()
    for table in ("batches", "logs", "spans"):
        tables[table]["stage"] = [name for _ in tables[table]["stage"]]
    times = dict.fromkeys(("ops", "data_wait_ns", "compute_ns", "host_ns", "device_ns", "shift_ns", "span"), 0)
    sampled = {"fit": 0, "stage": "train", "epoch": 0, "batch": 0, "format": "run_metadata", "data": zlib.compress(b"")}
    tables["sampled_batches"] = columns([sampled | times | {"clock_ns": 0, "reference_ns": 0}])
    write_run(folder, "good", tables=tables)
    run = write_run(folder, "bad", run=name)
    with PartitionWriter(run, name, 0) as writer:
        for table, rows in tables.items():
            writer.append(table, rows)
    return folder


MADE_OF_NAMES = ("tensorboard", "run-metadata")
OUTSIDE = ["../../../outside", "{root}/outside", "..", "con", "a\\..\\..\\b", "a\nb"]
EXPORTS = [(form, name) for form in FORMATS for name in (OUTSIDE if form in MADE_OF_NAMES else OUTSIDE[:1])]


@pytest.mark.parametrize(("form", "name"), EXPORTS)
def test_nothing_is_written_outside_of_the_output(tmp_path: Path, form: str, name: str) -> None:
    traces = hostile(tmp_path / "traces", name.format(root=tmp_path))
    before = everything(tmp_path)
    output = tmp_path / "deep" / "er"
    output.mkdir(parents=True)
    code = main(["export", str(traces), "--format", form, "-o", str(output / "out")])
    assert code == (2 if form in MADE_OF_NAMES else 0)
    outside = {path for path in everything(tmp_path) - before if not path.startswith(str(tmp_path / "deep"))}
    assert outside == set()
    assert all(path.startswith(str(output)) for path in everything(tmp_path / "deep"))


def test_a_plain_name_is_the_name_of_the_folder(tmp_path: Path) -> None:
    traces = hostile(tmp_path / "traces", "größe 2")
    for form in MADE_OF_NAMES:
        assert main(["export", str(traces), "--format", form, "-o", str(tmp_path / form)]) == 0
        assert sorted(path.name for path in (tmp_path / form).iterdir()) == ["good", "größe 2"]


@pytest.mark.parametrize("name", ["../x", "", "a\nb", "con", "\udcff"])
def test_a_new_run_takes_no_such_name(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.py").touch()
    assert main(["run", "--out", str(tmp_path / "out"), "--name", name, str(tmp_path / "train.py")]) == 2
    assert "not the name of a folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def everything(directory: Path) -> set[str]:
    return {os.path.join(base, name) for base, _, files in os.walk(directory) for name in files}
