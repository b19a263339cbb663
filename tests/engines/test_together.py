"""Two Kerases in one process: both are traced, and each fit names its engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_matrix import ROOT, Engine
from named_rows import named_rows

from .conftest import train

pytestmark = pytest.mark.slow


def test_each_fit_names_its_engine(tmp_path: Path) -> None:
    program = ROOT / "tests" / "engines" / "programs" / "together.py"
    both = train(Engine("both", "both"), [str(program)], tmp_path)
    assert both.traced.seen == both.plain.seen
    fits = both.trace.fits().sort_values("start_ns")
    assert fits.engine.tolist() == ["keras-3", "tf-keras", "keras-3"]
    assert fits.parent_fit.tolist()[2] == fits.fit.tolist()[1]
    assert fits.epochs.tolist() == [1, 1, 1] and fits.batches.tolist() == [3, 3, 3]
    (stop,) = named_rows(both.trace.stops())
    assert (stop.fit, stop.callback, stop.hook) == (fits.fit.tolist()[1], "Fitting", "on_epoch_end")
    total = both.trace.spans().groupby("fit").self_ns.sum().to_dict()
    assert total == fits.set_index("fit").duration_ns.to_dict()
    assert both.trace.notes().empty
