"""tensorflow/tensorflow#37587: a `predict` in a later callback sets `stop_training` back, and the training goes on."""

from __future__ import annotations

from typing import Any

import common

x, y = common.data()


class Stopper(common.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch == 0:
            self.model.stop_training = True


class Predictor(common.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.predict(x, verbose=0)


common.model().fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=[Stopper(), Predictor()])
