"""A learning rate that falls from epoch to epoch, and a stop by a callback in the middle."""

from __future__ import annotations

from typing import Any

import common

keras = common.keras


class Enough(common.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch == 3:
            self.model.stop_training = True


schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 / (1 + epoch))
common.model().fit(*common.data(320), epochs=8, verbose=0, callbacks=[schedule, Enough()])
