"""Programs on the Keras in miniature of tests/crash, and where they send their spans."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fittrace.tables import TraceTables

from .receiver import Received, over_http

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = Path(__file__).parent / "programs"
MINIATURE = ROOT / "tests" / "crash" / "engine"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def receiver() -> Iterator[Received]:
    """A receiver over HTTP."""
    with over_http() as received:
        yield received


def environment(**variables: str) -> dict[str, str]:
    """The environment of a program that finds fittrace and the Keras in miniature."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL", "FITTRACE", "PYTHON"))}
    return {**clean, "PYTHONPATH": os.pathsep.join((str(MINIATURE), str(ROOT))), **variables}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run(scenarios..., otlp=URL)`: `fittrace run --otlp` of the program here, in `tmp_path`/run."""

    def run(
        *scenarios: str, otlp: str = "", options: tuple[str, ...] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "fittrace", "run", "--quiet", "--out", str(tmp_path), "--name", "run"]
        command += ["--otlp", *filter(None, [otlp]), *options, str(PROGRAMS / "train.py"), *scenarios]
        return subprocess.run(
            command, env=environment(**variables), capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False
        )

    return run


@pytest.fixture
def trace(tmp_path: Path) -> Callable[[], TraceTables]:
    """The trace that `run` has left."""
    return lambda: TraceTables.open(tmp_path / "run")
