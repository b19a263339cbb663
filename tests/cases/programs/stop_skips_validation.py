"""keras-team/keras#12268: `stop_training` set in mid-epoch, and the epoch is not validated."""

from __future__ import annotations

from typing import Any

import common


class Stopper(common.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.epoch == 1 and batch == 1:
            self.model.stop_training = True


x, y = common.data()
common.model().fit(x, y, batch_size=8, epochs=3, verbose=0, validation_data=(x.copy(), y), callbacks=[Stopper()])
