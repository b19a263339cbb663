"""What fits are bound by, on every engine: programs that are each bound by another thing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from engine_matrix import NEWEST, Engine, require
from faithful.processes import environ, finish, start

import fittrace
from fittrace.analysis.verdict import figures_of, verdict

PROGRAM = Path(__file__).parent / "programs" / "bound.py"


@pytest.mark.slow
@pytest.mark.parametrize("engine", NEWEST, ids=str)
def test_fits_are_bound_by_what_they_are_made_for(engine: Engine, tmp_path: Path) -> None:
    require(engine)
    # Where the function fetches the data, samples tell waiting from computing.
    options = ["--quiet", "--python", str(engine.python), "--out", str(tmp_path), "--name", "run"]
    options += ["--run-metadata", "every=4"] if engine.name in ("keras-3", "tf-keras") else []
    command = [sys.executable, "-m", "fittrace", "run", *options, str(PROGRAM), engine.argument]
    seen = tmp_path / "seen.json"
    run = finish(start(command, environ(engine.path, SEEN=str(seen)), tmp_path), seen)
    assert run.returncode == 0, run.stderr[-3000:]
    trace = fittrace.open(tmp_path / "run")
    fits = trace.fits()
    fits = fits[fits.method == "fit"]
    said = [verdict(figures) for key, figures in figures_of(trace).items() if key[2] in set(fits.fit)]
    assert fits.bound.tolist() == run.seen, "\n".join(found.sentence for found in said)
