"""Growing memory: found where it goes on and on, and not where it settles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fittrace.analysis.memory_growth import memory_growth
from fittrace.analysis.rules.memory_rules import memory_grows, memory_peak

from .rows import told

MB = 1_000_000
READINGS = ("resident_bytes", "blocks", "limit_bytes")


def memory(*epochs: tuple[float, float, float], limit: float | None = None) -> pd.DataFrame:
    """Readings of epochs. Each grows by some MB in its batches, in `A.on_epoch_end` and in `B.on_epoch_end`."""
    resident, rows = 500.0, list[dict[str, Any]]()

    def read(epoch: int | None, hook: str, callback: str | None, position: int | None) -> None:
        where = {"epoch": epoch, "hook": hook, "callback": callback, "position": position}
        rows.append({**where, "time_ns": len(rows), "resident_bytes": int(resident * MB), "limit_bytes": None})

    read(None, "on_train_begin", None, None)
    rows[0]["limit_bytes"] = limit
    for epoch, (in_batches, in_a, in_b) in enumerate(epochs):
        for position, callback in ((None, None), (0, "A"), (1, "B")):
            read(epoch, "on_epoch_begin", callback, position)
        resident += in_batches
        for position, callback, grown in ((None, None, 0.0), (0, "A", in_a), (1, "B", in_b)):
            resident += grown
            read(epoch, "on_epoch_end", callback, position)
    whole: pd.DataFrame = pd.DataFrame(rows).astype({"epoch": "Int64", "position": "Int64"})
    return whole


@pytest.mark.parametrize(
    ("epochs", "grown", "hook"),
    [
        ([(0.0, 1.0, 0.0)] * 10, 1.0, ("A", "on_epoch_end")),
        ([(0.1, 0.2, 1.0)] * 10, 1.3, ("B", "on_epoch_end")),
        ([(1.0, 0.0, 0.0)] * 10, 1.0, (None, None)),
        ([(1.0, 0.9, 0.0)] * 10, 1.9, (None, None)),  # less than half of it is in the hook
        ([(50.0, 0.0, 0.0), *[(0.0, 1.0, 0.0)] * 9], 1.0, ("A", "on_epoch_end")),
    ],
)
def test_a_growth_has_its_hook(epochs: list[tuple[float, float, float]], grown: float, hook: tuple[Any, Any]) -> None:
    found = memory_growth(memory(*epochs))
    assert found is not None and found.bytes_per_epoch == pytest.approx(grown * MB)
    assert (found.callback, found.hook) == hook
    assert (found.first_epoch, found.last_epoch) == (2, 9)


SETTLING = [(20.0 / 2**n, 0.0, 0.0) for n in range(10)]
NOISE = [(float(grown), 0.0, 0.0) for grown in np.random.default_rng(1).normal(0, 3, 40)]


@pytest.mark.parametrize(
    "epochs",
    [
        [(0.0, 0.0, 0.0)] * 10,
        [(0.1, 0.1, 0.0)] * 10,  # too little
        [(0.0, 1.0, 0.0)] * 6,  # too few epochs
        SETTLING,
        NOISE,
        [(0.0, 4.0, 0.0), (0.0, -4.0, 0.0)] * 10,
        [(2.0, 0.0, 0.0)] * 8 + [(0.0, 0.0, 0.0)] * 6,  # a cache that is full
    ],
    ids=["none", "little", "few", "settling", "noise", "comes and goes", "full"],
)
def test_what_settles_does_not_grow(epochs: Sequence[tuple[float, float, float]]) -> None:
    assert memory_growth(memory(*epochs)) is None


def test_a_growth_is_told() -> None:
    (finding,) = memory_grows.find(memory(*[(0.0, 1.0, 0.0)] * 10))
    assert finding.message == "the process grows by 1 MB an epoch, in epochs 3 to 9, to 510 MB"
    assert (finding.callback, finding.hook, finding.epoch) == ("A", "on_epoch_end", 3)
    (finding,) = memory_grows.find(memory(*[(1.0, 0.0, 0.0)] * 10))
    assert "1 MB an epoch, outside of the hooks of epochs, in epochs 3 to 9" in finding.message
    assert told(memory_grows.find(memory())) == []


def test_a_peak_near_the_limit_is_told() -> None:
    grown = [(1.0, 0.0, 0.0)] * 3
    assert told(memory_peak.find(memory(*grown, limit=550e6))) == [
        "the process has 503 MB, 91 % of the 550 MB that it may have"
    ]
    assert told(memory_peak.find(memory(*grown, limit=600e6))) == told(memory_peak.find(memory(*grown))) == []
