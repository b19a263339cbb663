"""Hook order, log keys and phases of every engine are those that are known: a change of Keras, or of fittrace, shows
here. `scripts/golden-hooks` records them anew, and `docs/hooks.md` is made of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_matrix import require

from .recording import ENGINES, ORDERS, recorded

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ENGINES)
def test_hook_order(name: str, tmp_path: Path) -> None:
    require(ENGINES[name])
    golden = (ORDERS / f"{name}.txt").read_text(encoding="utf-8")
    assert recorded(name, tmp_path) == golden
