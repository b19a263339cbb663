"""tensorflow/tensorflow#58098: a learning rate finder takes the mean since the epoch began for each batch's loss."""

from __future__ import annotations

from typing import Any

import common


class LRFinder(common.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def on_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        self.losses.append(logs["loss"])


x, y = common.data()
common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[LRFinder()])
