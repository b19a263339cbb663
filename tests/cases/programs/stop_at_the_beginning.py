"""`stop_training` set before the first epoch: Keras 2 sets it back right after."""

from __future__ import annotations

from typing import Any

import common


class Stopper(common.Callback):
    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.model.stop_training = True


x, y = common.data()
common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Stopper()])
