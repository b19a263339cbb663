"""A callback that is slow every ten batches, and one that is slow at the end of each epoch."""

from __future__ import annotations

import time
from typing import Any

import common


class Saver(common.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch % 10 == 0:
            time.sleep(0.2)


class Scorer(common.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        time.sleep(0.5)


x, y = common.data(640)
common.model().fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=[Saver()])
common.model().fit(x, y, batch_size=320, epochs=4, verbose=0, callbacks=[Scorer()])
