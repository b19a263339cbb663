"""A Python that capture is put into imports next to nothing until an engine comes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fittrace.launch
from fittrace.engines import ENGINES
from fittrace.schema import run_facts as schema_run

BOOTSTRAP = Path(fittrace.launch.__file__).parent / "bootstrap"
REPORT = "import json, sys; print(json.dumps(sorted(name for name in sys.modules)))"


def said(program: str, folder: Path, **more: str) -> str:
    """What a captured Python prints that runs `program`; `folder` has an engine of a kind in it."""
    (folder / "keras.py").write_text("")
    (folder / "run").mkdir(exist_ok=True)
    schema_run.new(str(folder / "run"), "run", [], "python", "0")
    paths = os.pathsep.join([str(BOOTSTRAP), str(folder)])
    environment = {**os.environ, "PYTHONPATH": paths, "FITTRACE_RUN": str(folder / "run"), **more}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_packages_of_all_engines_are_awaited(tmp_path: Path) -> None:
    awaited = said("import sitecustomize; print(*sitecustomize.AWAITED)", tmp_path).split()
    packages = {module.partition(".")[0] for engine in ENGINES for module in engine.modules}
    assert set(awaited) == packages | {"fittrace.launch", "fittrace.otel"}


def test_nothing_is_imported_that_python_does_not_import_anyway(tmp_path: Path) -> None:
    modules, plain = (set(json.loads(said(REPORT, tmp_path, **more))) for more in ({}, {"FITTRACE_RUN": ""}))
    assert modules == plain


@pytest.mark.parametrize("program", ["import keras", "import importlib.util; importlib.util.find_spec('keras')"])
def test_an_engine_brings_the_rest(tmp_path: Path, program: str) -> None:
    end = "; import sys; print(sys.modules['fittrace.capture'].Session.active.directory, len(sys.meta_path))"
    directory, count = said(program + end, tmp_path).split()
    assert directory == str(tmp_path / "run")
    assert int(count) == 1 + int(said("import sys; print(len(sys.meta_path))", tmp_path, FITTRACE_RUN=""))


def test_a_process_knows_whether_it_was_forked(tmp_path: Path) -> None:
    program = """
import os, sys
child = os.fork()
import keras
if child:
    os.waitpid(child, 0)
sys.stdout.write("%s\\n" % sys.modules["fittrace.capture"].Session.active.is_forked)
"""
    assert said(program, tmp_path).split() == ["True", "False"]


def test_what_the_program_registers_is_called_before_the_session_is_closed(tmp_path: Path) -> None:
    program = """
import atexit, sys
atexit.register(lambda: print(sys.modules["fittrace.capture"].Session.active is not None))
import keras
"""
    assert said(program, tmp_path).split() == ["True"]


def test_fittrace_is_found_by_its_place(tmp_path: Path) -> None:
    assert said("import fittrace; print(fittrace.__file__)", tmp_path).strip() == fittrace.__file__
