"""A generator that takes longer than the training, and one that stands still every 25 batches."""

from __future__ import annotations

import time
from collections.abc import Iterator

import common
import numpy as np

x, y = common.data(800)


def slow(every: int, seconds: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for number, batch in enumerate(common.batches(x, y, 8)):
        if number % every == every - 1:
            time.sleep(seconds)
        yield batch


for every, seconds in ((1, 0.01), (25, 0.2)):
    common.model().fit_generator(slow(every, seconds), steps_per_epoch=110, epochs=2, verbose=0, workers=0)
