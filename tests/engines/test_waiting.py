"""A sampled batch tells how long it waited for data, whichever way its pipeline makes it wait."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from engine_matrix import NEWEST, Engine, require
from faithful.processes import environ

import fittrace

PROGRAM = Path(__file__).parent / "programs" / "waiting.py"


@pytest.mark.slow
@pytest.mark.parametrize("engine", NEWEST[:2], ids=str)
def test_no_wait_is_lost(engine: Engine, tmp_path: Path) -> None:
    require(engine)
    options = ["--quiet", "--out", str(tmp_path), "--name", "run", "--run-metadata", "all"]
    done = subprocess.run(
        [sys.executable, "-m", "fittrace", "run", *options, str(PROGRAM), engine.argument],
        env=environ(None, TF_CPP_MIN_LOG_LEVEL="2"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # What makes the data for an op that waits, beside which other ops may be at work.
    waits = fittrace.open(tmp_path / "run").sql("""
        SELECT fit, batch, max(data_wait_ns + compute_ns) AS known_ns, sum(p.duration_ns) AS made_ns
        FROM sampled_batches JOIN data_pipeline p USING (fit, epoch, batch)
        WHERE p.name = 'Iterator::Root' AND p.thread LIKE 'tf_data_iterator_get_next%'
        GROUP BY ALL
    """)
    assert set(waits.fit) == {0, 1, 2, 3}
    assert len(waits) >= 60
    lost = waits[waits.known_ns < waits.made_ns]
    assert lost.empty, lost
