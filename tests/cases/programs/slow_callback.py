"""A callback that takes most of the batch's time, and one that loses a value for the others."""

from __future__ import annotations

import time
from typing import Any

import common


class Sleeper(common.Callback):
    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        time.sleep(0.05)


class Meddler(common.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        logs["loss"] = 0.0


x, y = common.data()
common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Sleeper(), Meddler()])
