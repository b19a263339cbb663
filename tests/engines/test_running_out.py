"""A turn in which the data run out is no batch, on any engine: there are as many batches as hooks at their end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from engine_matrix import NEWEST, OLDER_KERAS_3, OLDER_TF_KERAS, Engine, marked, require
from faithful.processes import environ
from named_rows import named_rows

import fittrace

PROGRAM = Path(__file__).parent / "programs" / "running_out.py"
ENGINES = [NEWEST[0], *marked([*NEWEST[1:], *OLDER_KERAS_3, *OLDER_TF_KERAS])]


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_the_last_fetch_is_no_batch(engine: Engine, tmp_path: Path) -> None:
    require(engine)
    # Also where the turn is sampled.
    options = ["--quiet", "--python", str(engine.python), "--out", str(tmp_path), "--name", "run"]
    options += ["--run-metadata", "first=1,0:3"]
    done = subprocess.run(
        [sys.executable, "-m", "fittrace", "run", *options, str(PROGRAM), engine.argument],
        env=environ(str(engine.path or ""), SEEN=str(tmp_path / "seen.json"), TF_CPP_MIN_LOG_LEVEL="2"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    trace = fittrace.open(tmp_path / "run")
    fits, batches, spans, hooks = trace.fits(), trace.batches(), trace.spans(), trace.hooks()
    begun = hooks[(hooks.callback == "Counting") & hooks.hook.astype(str).str.endswith("batch_begin")]
    not_a_number = trace.sql('SELECT fit FROM batches WHERE isnan("logs.loss")')
    assert not_a_number.empty
    told = json.loads((tmp_path / "seen.json").read_text())
    assert len(fits) == len(told)
    for one, fit in zip(told, named_rows(fits)):
        mine = batches[batches.fit == fit.fit]
        counted = Counter(mine.stage.astype(str))
        assert counted == {stage: one["ends"][stage] for stage in counted}, one["name"]
        assert sum(counted.values()) == sum(one["ends"].values()), one["name"]
        assert fit.batches == counted[one["stage"]], one["name"]
        assert set(mine.status) == {"ok"}, one["name"]
        # What the turn did is there: its hooks, and its time.
        assert (begun.fit == fit.fit).sum() == sum(one["begins"].values()), one["name"]
        own = spans[spans.fit == fit.fit]
        assert own.self_ns.sum() == fit.duration_ns, one["name"]
        ran_out = own[(own.phase == "slice") & own.span.isin(own[own.phase == "function"].parent)]
        assert len(ran_out) == one["ran_out"], one["name"]
        # Whatever comes after it is outside of it.
        assert own[own.parent.isin(ran_out.span) & own.hook.astype(str).str.endswith("_end")].empty, one["name"]
        if fit.status == "error":
            # The fetch failed, and the exception passes a `finally` on its way out of the fit.
            failed = own[own.status == "error"]
            assert set(failed.phase) == {"fit", "epoch", "slice"}
            assert (fit.at_phase, fit.at_epoch, fit.at_batch) == ("slice", 1, 2)
