"""keras-team/keras#16526: an `evaluate` in a batch's hook, and the epoch's loss is that of what was evaluated; first in
one batch of an epoch, then in every batch, the last among them."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import common

x, y = common.data()


class Evaluator(common.Callback):
    def __init__(self, batches: Container[int]) -> None:
        super().__init__()
        self.batches = batches

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch in self.batches:
            self.model.evaluate(x, y * 100, verbose=0)


for batches in ([3], range(6)):
    common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Evaluator(batches)])
