"""Runs to read: one small enough to know every number of it, and larger ones made up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from stores import write_run

from fittrace.tables import TraceTables

sys.path.insert(0, str(Path(__file__).parent.parent))  # for `synthetic`


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of the small run."""
    return write_run(tmp_path / "traces")


@pytest.fixture
def trace(run: Path) -> TraceTables:
    """The small run, open."""
    return TraceTables.open(run)


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two runs of two processes each, whose first callback adds a key to the logs."""
    from synthetic import Size, make

    directory = tmp_path_factory.mktemp("made-up")
    make(directory, Size(batches=30, epochs=3, runs=2, processes=2, changing=True))
    return directory
