"""A callback keeps an array of each epoch, and memory grows."""

from __future__ import annotations

from typing import Any

import common
import numpy as np


class Keep(common.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.kept: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.kept.append(np.ones(1_000_000))


common.model().fit(*common.data(), epochs=10, verbose=0, callbacks=[Keep()])
