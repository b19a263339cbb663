"""keras-team/keras#12683: a generator that takes longer than the training, where the engine fetches batches in its
function."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import common

x, y = common.data(240)


def slow() -> Iterator[Any]:
    for batch in common.batches(x, y, 8):
        time.sleep(0.1)
        yield batch


common.model().fit(slow(), steps_per_epoch=30, epochs=2, verbose=0)
