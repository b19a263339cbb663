"""keras-team/keras#20861: with `steps_per_execution` a batch's end is given the number of its first step."""

from __future__ import annotations

from typing import Any

import common


class Counter(common.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.done = batch + 1


x, y = common.data(96)
common.model(steps_per_execution=3).fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=[Counter()])
