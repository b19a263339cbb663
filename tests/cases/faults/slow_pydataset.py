"""The __getitem__ of a PyDataset is slow, and it has no workers."""

from __future__ import annotations

import time

import common
import numpy as np


class Slow(common.keras.utils.PyDataset):
    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        time.sleep(0.04)
        return np.ones((4, 6), "float32"), np.ones((4, 1), "float32")


common.model().fit(Slow(), epochs=2, verbose=0)
