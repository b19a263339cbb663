"""The program of these tests, which runs once without and once with fittrace; many tests look at what came of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from engine_matrix import KERAS, OLDER_KERAS_3, marks

from .processes import PROGRAMS, Pair, run_both

NEWEST = "3.15.1"
OLDER = [pytest.param(engine.version, marks=marks(engine)) for engine in OLDER_KERAS_3]
WHOLE = f"{NEWEST}, all recorded"
"""The newest once more, with all that is recorded on demand alone."""
ALL = ("--values", "all", "--lines", "callbacks", "--memory", "full")

# What can differ from version to version comes first; the rest runs on the newest alone.
EVERYWHERE = ["changing_logs", "alone", "several_steps", "stopping", "asynchronous", "nested", "hostile"]
EVERYWHERE += ["raising", "line_by_line", "looked_at"]
NEWEST_ALONE = ["no_callbacks", "uneven_steps", "steps_per_epoch", "dataset", "generator", "eagerly"]
NEWEST_ALONE += ["sometimes_validating", "no_epochs", "two_threads", "covered"]


@pytest.fixture(scope="session")
def training(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pair]:
    """`training(version)`: the program that trains in many ways, over that Keras."""

    def keras(version: str) -> Path:
        return KERAS / (NEWEST if version == WHOLE else version)

    @cache
    def run(version: str) -> Pair:
        folder: Path = tmp_path_factory.mktemp(f"keras-{version}".replace(", ", "-").replace(" ", "-"))
        scenarios = [*EVERYWHERE, *(NEWEST_ALONE if version == NEWEST else [])]
        command = [str(PROGRAMS / "run_scenarios.py"), *scenarios]
        return run_both(folder, command, keras(version), options=ALL if version == WHOLE else ())

    def checked(version: str) -> Pair:
        if not keras(version).exists():
            pytest.skip(f"no Keras {version} here; `scripts/env matrix` gets it")
        pair = run(version)
        for process in (pair.plain, pair.traced):
            assert process.returncode == 0, process.stderr
        return pair

    return checked


@pytest.fixture(params=[NEWEST, *OLDER, pytest.param(WHOLE, marks=pytest.mark.slow)])
def pair(request: pytest.FixtureRequest, training: Callable[[str], Pair]) -> Pair:
    """That program, over each Keras in turn."""
    return training(request.param)


@pytest.fixture(params=[NEWEST])
def newest(request: pytest.FixtureRequest, training: Callable[[str], Pair]) -> Pair:
    """That program over the newest Keras, where it trains in some more ways."""
    return training(request.param)
