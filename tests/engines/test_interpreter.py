"""`--python`: an interpreter, its name or the folder of its environment; what is none is an error in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fittrace.launch.interpreter import has_keras, resolve

BASE = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"


def fittrace_run(folder: Path, python: str, script: str = "print('ran')") -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(script)
    command = [sys.executable, "-m", "fittrace", "run", "--python", python, "script.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def stand_in(folder: Path, answer: str) -> Path:
    """A program that is no Python, but answers as one might."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


def test_the_folder_of_an_environment_stands_for_its_python(tmp_path: Path) -> None:
    assert resolve(sys.prefix) == os.path.join(sys.prefix, "bin", "python")
    run = fittrace_run(tmp_path, sys.prefix, "import sys; print(sys.prefix)")
    assert run.returncode == 0 and run.stdout.strip() == sys.prefix


def test_a_name_is_looked_for_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.path.join(sys.prefix, "bin"))
    assert resolve("python") == os.path.join(sys.prefix, "bin", "python")


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("nowhere", "no interpreter there; give a python or the folder of its environment"),
        (".", "no interpreter there"),
        ("script.py", "does not answer like a Python interpreter; give the path of one"),
        ("/bin/echo", "does not answer like a Python interpreter"),
    ],
)
def test_what_is_no_interpreter_is_an_error(tmp_path: Path, python: str, told: str) -> None:
    run = fittrace_run(tmp_path, python)
    assert run.returncode == 2 and run.stdout == ""
    assert run.stderr.startswith(f"fittrace: --python {python}: {told}")
    assert len(run.stderr.splitlines()) == 1
    assert not (tmp_path / "traces").exists()


@pytest.mark.parametrize(
    ("answer", "told"), [("2 7", "Python 2.7"), ("3 6", "Python 3.6"), ("sh: 3", "does not answer")]
)
def test_an_interpreter_that_is_too_old_is_an_error(tmp_path: Path, answer: str, told: str) -> None:
    run = fittrace_run(tmp_path, str(stand_in(tmp_path, answer)))
    assert run.returncode == 2 and told in run.stderr and len(run.stderr.splitlines()) == 1


def test_an_interpreter_without_keras_runs_untraced_and_says_so(tmp_path: Path) -> None:
    if has_keras(str(BASE), None):
        pytest.skip("the base interpreter has a Keras here")
    run = fittrace_run(tmp_path, str(BASE))
    assert run.returncode == 0 and run.stdout == "ran\n"
    assert f"nothing was traced: {BASE} has no Keras; install it there, or choose another" in run.stderr


def test_an_interpreter_whose_program_never_fits_says_so(tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("")
    run = fittrace_run(tmp_path, str(BASE), "import keras; print('ran')")
    assert run.returncode == 0 and run.stdout == "ran\n"
    assert "nothing was traced: the program never called fit" in run.stderr
