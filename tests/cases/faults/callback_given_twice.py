"""One callback object is in the list twice. It halves the learning rate twice in each epoch."""

from __future__ import annotations

from typing import Any

import common


class Halve(common.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.optimizer.learning_rate = self.model.optimizer.learning_rate * 0.5


halve = Halve()
common.model().fit(*common.data(), epochs=3, verbose=0, callbacks=[halve, halve])
