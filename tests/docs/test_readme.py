"""What README.md says to type works as it is written."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made import summary

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

SCRIPT = "import sys\nprint(sys.argv[1:])\n"
"""Stands for the reader's script, which need not fit to be run."""

MODEL = """
import keras
import numpy as np

x, y = np.ones((64, 4)), np.ones(64)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [shlex.split(line[2:], comments=True) for line in lines]


FITTRACE = [
    words[1:] if words[0] == "fittrace" else words[3:]
    for words in commands()
    if words[0] == "fittrace" or words[:3] == ["python", "-m", "fittrace"]
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the reference traces and with what the commands name."""
    shutil.copytree(ROOT / "traces", tmp_path / "traces")
    for copy in ("before", "after"):
        shutil.copytree(ROOT / "traces" / "reference-keras-3", tmp_path / copy)
    (tmp_path / "project").mkdir()
    for script in ("train.py", "project/train.py"):
        (tmp_path / script).write_text(SCRIPT)
    (tmp_path / "other" / "bin").mkdir(parents=True)
    (tmp_path / "other" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def python(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=place, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", FITTRACE, ids=" ".join)
def test_each_command_works(words: list[str], place: Path) -> None:
    done = python(place, "-m", "fittrace", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_all_commands_are_known() -> None:
    assert {words[0] for words in FITTRACE} == {
        "run",
        "ls",
        "report",
        "convert",
        "show",
        "sql",
        "replay",
        "lines",
        "check",
        "diff",
        "export",
    }
    others = {words[0] for words in commands()} - {"fittrace", "python"}
    assert others == {"scripts/demo", "scripts/test", "pip"}
    assert all(os.access(ROOT / other, os.X_OK) for other in others if "/" in other)


@pytest.mark.slow
def test_recording_in_a_notebook_works(place: Path) -> None:
    recording, *_ = blocks("python")
    done = python(place, "-c", f"{MODEL}\n{recording}\nprint(run)\nprint(fittrace.open('traces/').fits().method)")
    assert done.returncode == 0, done.stderr
    assert "fit" in done.stdout


@pytest.mark.slow
def test_testing_a_callback_works(place: Path) -> None:
    _, testing, *_ = blocks("python")
    callback = "class MyCallback(keras.callbacks.Callback):\n    pass"
    (place / "test_it.py").write_text(f"{MODEL}\n{callback}\n\n{testing}")
    done = python(place, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
    assert done.returncode == 0, done.stdout


def test_reading_works(place: Path) -> None:
    _, _, reading, _ = blocks("python")
    done = python(place, "-W", "error", "-c", f"import fittrace\n{reading}\nfittrace.open('traces/').fits()['run']")
    assert done.returncode == 0, done.stderr


def test_driving_works(place: Path) -> None:
    *_, driving = blocks("python")
    before = "import fittrace, keras\ntrace = fittrace.open('traces/reference-keras-3')"
    done = python(place, "-c", f"{before}\n{driving}")
    assert done.returncode == 0, done.stderr
    assert "driven with EarlyStopping" in done.stdout


def test_the_summary_is_that_of_the_reference_trace() -> None:
    assert summary.with_summary(TEXT) == TEXT, "make it anew with scripts/reference-trace"


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
