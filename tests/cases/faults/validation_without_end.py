"""The validation generator never ends, and there are no validation_steps. After a while the user kills the program."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import common
import numpy as np


def rows(kill_after: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    count = 0
    while True:
        count += 1
        if count == kill_after:
            os.kill(os.getpid(), signal.SIGTERM)
        yield np.ones((4, 6), "float32"), np.ones((4, 1), "float32")


common.model().fit(rows(), steps_per_epoch=3, epochs=2, verbose=0, validation_data=rows(400))
