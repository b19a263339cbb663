"""What docs/run-metadata.md says to type works, and its choices of batches are what fittrace takes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fittrace.schema.batches_to_sample import parse

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "run-metadata.md").read_text(encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the trace that the page names, and a script."""
    shutil.copytree(ROOT / "traces" / "reference-keras-3", tmp_path / "traces" / "reference-keras-3")
    (tmp_path / "train.py").write_text("print('trained')\n")
    return tmp_path


def test_each_command_works(place: Path) -> None:
    commands = re.findall(r"^\$ fittrace (.*)$", TEXT, flags=re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        words = [sys.executable, "-m", "fittrace", *shlex.split(command)]
        done = subprocess.run(
            words, cwd=place, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    names = sorted(file.name for file in (place / "metadata").iterdir())
    assert names[:3] == [f"fit-0-epoch-0-batch-{batch}.pb" for batch in range(3)]


def test_its_code_runs(place: Path) -> None:
    code, on_a_gpu = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)
    program = f"import fittrace\n{code}\nassert len(ops) and len(sampled) == 3\n{on_a_gpu}\nassert launches.empty"
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(
        command, cwd=place, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_its_choices_are_choices() -> None:
    told = re.findall(r"^\| (`.*?) \|", TEXT, flags=re.MULTILINE)
    choices = [choice for cell in told for choice in re.findall(r"`([a-z]+(?:=\d+)?|\d+:[\d-]+)`", cell)]
    assert choices == ["first=3", "every=100", "0:0", "2:100-102", "all", "off"]
    for choice in [*choices, "first=1,every=500,2:100-102"]:
        parse(choice)
