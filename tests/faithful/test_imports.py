"""An engine is imported under fittrace as without it, however it is found and loaded, and however it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from engine_matrix import LEGACY, ROOT

import fittrace
from fittrace.schema import run_facts

from .processes import PROGRAMS, environ
from .test_processes import ENGINE

BOOTSTRAP = ROOT / "fittrace" / "launch" / "bootstrap"


def printed(python: str, folder: Path, path: str, **variables: str) -> str:
    """What the program prints that imports an engine in many ways."""
    command = [python, str(PROGRAMS / "imported.py"), str(ENGINE)]
    environment = environ(path, **variables)
    return subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(params=["this", "3.7"], scope="module")
def stories(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Path]:
    """What is printed without and with fittrace, and the run's folder; on this Python, and on the oldest."""
    python = sys.executable if request.param == "this" else str(LEGACY)
    if not os.path.exists(python):
        pytest.skip("no Python 3.7 here; `scripts/legacy-env` gets it")
    folder = tmp_path_factory.mktemp("imports")
    traces = folder / "run"
    traces.mkdir()
    run_facts.new(str(traces), "run", [], python, "0")
    traced = printed(python, folder, str(BOOTSTRAP), FITTRACE_RUN=str(traces))
    return printed(python, folder, ""), traced, traces


def test_stacks_tracebacks_warnings_specs_and_loaders_are_equal(stories: tuple[str, str, Path]) -> None:
    plain, traced, _ = stories
    assert plain.count("Traceback") > 10
    assert traced == plain


def test_each_engine_that_was_imported_so_is_traced(stories: tuple[str, str, Path]) -> None:
    plain, _, folder = stories
    fits = plain.count(", trained ==\n{")
    calls = fittrace.open(folder).hooks().groupby("fit").size()
    assert list(calls.index) == list(range(fits)) and fits == 7
    # Each fit has one callback, and hooks around itself, one epoch and two batches.
    assert set(calls) == {8}
