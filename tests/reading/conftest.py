"""Runs to read: one small enough to know every number of it, and larger ones made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from synthetic import Size, make

from fittrace.tables import TraceTables
from reading.stores import write_run


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
    directory = tmp_path_factory.mktemp("made-up")
    make(directory, Size(batches=30, epochs=3, runs=2, processes=2, changing=True))
    return directory
