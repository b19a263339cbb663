"""`fittrace report` and `fittrace run --report`: the file that they write, or do not write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fittrace.cli import main
from fittrace.open_trace import Trace
from fittrace.report import document, page
from fittrace.report.packing import unpacked

KERAS_3 = "traces/reference-keras-3"


def shown(html: str) -> Any:
    """The document in a page."""
    return unpacked(html.split('id="data">')[1].split("<", maxsplit=1)[0])


def test_it_writes_a_page_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "fit.html"
    assert main(["report", KERAS_3, "-o", str(output)]) == 0
    assert f"{output}: " in capsys.readouterr().out
    assert shown(output.read_text("utf-8"))["title"] == "reference-keras-3"


def test_a_file_that_exists_stays_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "fit.html"
    output.write_text("mine")
    assert main(["report", KERAS_3, "-o", str(output)]) == 2
    assert "exists; give another file with -o, or --force" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert main(["report", KERAS_3, "-o", str(output), "--force"]) == 0
    assert output.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("output", ["missing/fit.html", "."])
def test_an_output_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    assert main(["report", KERAS_3, "-o", str(tmp_path / output)]) == 2
    assert capsys.readouterr().err.startswith("fittrace: ")
    assert list(tmp_path.iterdir()) == []


def run_report(folder: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "train.py").write_text(script)
    command = [sys.executable, "-m", "fittrace", "run", "--quiet", "--report", "--name", "mine", *options, "train.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_run_says_that_nothing_was_traced(tmp_path: Path) -> None:
    ran = run_report(tmp_path, "print('no fit here'); raise SystemExit(3)")
    assert (ran.returncode, ran.stdout) == (3, "no fit here\n")
    assert ran.stderr == "fittrace: no report: nothing was traced\n"


TRAINS = """
import keras, numpy
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(numpy.zeros((4, 2)), numpy.zeros((4, 1)), verbose=0)
raise SystemExit(3)
"""


@pytest.mark.slow
def test_run_writes_a_page_beside_the_trace_and_a_fault_in_it_changes_no_exit_code(tmp_path: Path) -> None:
    ran = run_report(tmp_path, TRAINS)
    output = tmp_path / "traces" / "mine.html"
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (3, f"fittrace: report: open {output} in a browser")
    run = shown(output.read_text("utf-8"))["runs"][0]
    assert [fit["batches"] for fit in run["fits"]] == [1]

    (tmp_path / "traces" / "mine-2.html").mkdir()
    ran = run_report(tmp_path, TRAINS, "--name", "mine-2")
    assert ran.returncode == 3
    assert f"fittrace: no report: {tmp_path}/traces/mine-2.html: a folder" in ran.stderr


def test_equal_documents_give_equal_pages() -> None:
    made = document(Trace.open(KERAS_3))
    assert page(made) == page(made)
