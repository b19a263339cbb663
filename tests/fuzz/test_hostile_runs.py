"""No command obeys a hostile run: 500 of them, in a sandbox that is known to notice. `.ci/run` tries 1,500 more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .__main__ import fuzz
from .misbehaving import commands
from .sandbox import Job, Outcome, carry_out

RUNS = 500
PARTS = 4
"""Tests among which the runs are shared out, so that pytest-xdist can spread them."""
FINE = "nothing wrong"
MISDEEDS = [name for name in commands(Path("a/b/c/run"), Path("out")) if name != FINE]


@pytest.fixture(scope="module", autouse=True)
def _strace() -> None:
    if shutil.which("strace") is None:
        if "CI" in os.environ:
            pytest.fail("no strace here: scripts/system-packages installs it")
        pytest.skip("no strace here; scripts/system-packages installs it")


@pytest.fixture(scope="module")
def misdeeds(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What the sandbox noticed of a worker that does all that none may do."""
    area = tmp_path_factory.mktemp("misdeeds")
    outside, run, out = area / "outside", area / "runs" / "0" / "run", area / "out"
    for folder in (outside, run, out):
        folder.mkdir(parents=True)
    for name in ("secret.txt", "old", "removed"):
        (outside / name).write_text("x")
    (run / "run.json").write_text("{}")
    (run / "link").symlink_to(outside / "secret.txt")
    return carry_out([Job(0, run, out, [FINE, *MISDEEDS], 0)], area, "worker", "fuzz.misbehaving")


@pytest.mark.parametrize("misdeed", MISDEEDS)
def test_the_sandbox_notices(misdeeds: Outcome, misdeed: str) -> None:
    noticed = {command for _, command, _ in misdeeds.faults}
    # What ended the worker has no answer, so the command before it is told.
    assert misdeed in noticed or (misdeed == "die" and any("ended or hung" in what for _, _, what in misdeeds.faults))


def test_the_sandbox_lets_alone_what_is_allowed(misdeeds: Outcome) -> None:
    assert not [fault for fault in misdeeds.faults if fault[1] == FINE]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, RUNS, RUNS // PARTS))
def test_no_command_obeys_a_hostile_run(tmp_path: Path, first: int) -> None:
    outcome = fuzz(RUNS // PARTS, tmp_path, first, workers=1)
    print(f"{outcome.runs} hostile runs, {outcome.commands} commands: {len(outcome.faults)} faults")
    assert outcome.runs == RUNS // PARTS and not outcome.faults, outcome.faults[:20]
