"""Hook order, log keys and phases of every engine are those that are known: a change of Keras, or of fittrace, shows
here. `scripts/golden-hooks` records them anew, and `docs/hooks.md` is made of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .recording import ENGINES, LEGACY, ORDERS, Engine, recorded

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_hook_order(engine: Engine, tmp_path: Path) -> None:
    if engine.legacy and not LEGACY.exists():
        absent = "no Python 3.7 with Keras 2.2 here; `scripts/legacy-env` makes it"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    if engine.path is not None and not engine.path.exists():
        pytest.skip(f"no Keras {engine.keras} here; `scripts/env matrix` gets it")
    golden = (ORDERS / f"{engine}.txt").read_text(encoding="utf-8")
    assert recorded(engine, tmp_path) == golden
