"""What a program sends elsewhere by `marshal`, cloudpickle, dill or joblib is what it would send without fittrace."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from engine_matrix import LEGACY

import fittrace

from .processes import PROGRAMS, run_both
from .test_processes import ENGINE

OWN = {"Mine.on_train_begin", "Mine.on_epoch_end", "Mine.on_generated", "Mine.on_nested", "Net.train_step"}


@pytest.mark.slow
@pytest.mark.parametrize("python", [sys.executable, str(LEGACY)], ids=["this", "3.7"])
@pytest.mark.parametrize("lines", ["callbacks", "engine"])
def test_functions_go_elsewhere_as_they_were(tmp_path: Path, python: str, lines: str) -> None:
    if not os.path.exists(python):
        pytest.skip("no Python 3.7 here; `scripts/legacy-env` gets it")
    pair = run_both(tmp_path, [str(PROGRAMS / "pickled.py")], ENGINE, options=("--lines", lines), python=python)
    assert pair.plain.returncode == 0, pair.plain.stderr
    assert pair.plain.stdout.count("on_epoch_end") > 5
    assert pair.traced == pair.plain
    functions = set(fittrace.open(pair.folder).functions()["name"])
    assert "TensorFlowTrainer.fit" in functions
    assert functions & OWN == (OWN if lines == "callbacks" else set())
