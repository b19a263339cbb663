"""The traces that come with the repository, and one of many threads and processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fittrace.tables import TraceTables

TRACES = Path(__file__).parent.parent.parent / "traces"
ENGINES = ("keras-2.2", "keras-3", "tf-keras", "tf-keras-v1")


@pytest.fixture(scope="session", params=ENGINES)
def reference(request: pytest.FixtureRequest) -> TraceTables:
    """The reference trace of each engine."""
    return TraceTables.open(TRACES / f"reference-{request.param}")


@pytest.fixture(scope="session")
def keras_3() -> TraceTables:
    """The reference trace of Keras 3."""
    return TraceTables.open(TRACES / "reference-keras-3")


@pytest.fixture(scope="session")
def all_of_them() -> TraceTables:
    """All four as one trace of four runs."""
    return TraceTables.open(TRACES)
