"""The program's own profiler on every engine, while every batch is sampled: nothing fails, and no profile is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_matrix import NEWEST, require

from .conftest import Trained, train

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "programs" / "profiling.py"
BATCHES = 4


@pytest.fixture(scope="module", params=NEWEST, ids=str)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    engine = require(request.param)
    folder = tmp_path_factory.mktemp(str(engine))
    return train(engine, [str(PROGRAM), engine.argument], folder, "--run-metadata", "every=1")


def sampled(trained: Trained) -> dict[str, list[list[int]]]:
    """The batches that were sampled, of each fit of each scenario."""
    rows = trained.trace.sampled_batches()
    found: dict[str, list[list[int]]] = {}
    for scenario, fit in zip(trained.scenarios(), trained.trained.fit, strict=True):
        found.setdefault(scenario, []).append(rows[rows.fit == fit].batch.tolist())
    return found


def test_nothing_changed(trained: Trained) -> None:
    assert trained.traced.seen == trained.plain.seen


def test_nothing_failed_and_no_profile_was_lost(trained: Trained) -> None:
    for fit in trained.traced.seen["fits"]:
        assert fit["error"] is None and not fit.get("errors"), fit
    profiled = {fit["scenario"]: fit["profiled"] for fit in trained.traced.seen["fits"] if "profiled" in fit}
    assert profiled.pop("tensorboard", True) is True
    assert profiled.pop("around") is True and profiled.pop("hooks") == [True]
    assert profiled.pop("in a batch", [True] * 2) == [True] * 2 and profiled.pop("beside a batch", [True]) == [True]
    assert not profiled


def test_no_fault_of_fittraces_is_noted(trained: Trained) -> None:
    assert set(trained.trace.notes().kind) <= {"run_metadata"}


def test_a_session_is_sampled_beside_any_profiler(trained: Trained) -> None:
    if not trained.engine.loops_over_arrays:
        pytest.skip("no session is called")
    every = list(range(BATCHES))
    assert all(batches == every for fits in sampled(trained).values() for batches in fits)
    assert trained.trace.notes().empty


def test_the_profiler_is_given_up_where_the_program_comes(trained: Trained) -> None:
    if trained.engine.loops_over_arrays:
        pytest.skip("the profiler is not used")
    found = sampled(trained)
    assert found["around"] == [[]]
    assert found["hooks"] == [[0]]
    # The first batch's ops end where the training step starts the profiler, so they are left out.
    assert found["in a batch"] == [[]] and found["session"] == [[]]
    assert found["beside a batch"] == [[0]]
    assert found["server"] == [[0, 1]]
    notes = trained.trace.notes().message.tolist()
    for way in ("profiler_v2.start", "BaseSession.run", "Server.__init__"):
        assert any(way in note for note in notes), notes


def test_of_two_fits_one_at_a_time_is_sampled(trained: Trained) -> None:
    if trained.engine.loops_over_arrays:
        pytest.skip("the profiler is not used")
    assert any(batches for batches in sampled(trained)["two"])
