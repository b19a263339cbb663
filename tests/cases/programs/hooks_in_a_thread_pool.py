"""keras-team/keras#20382: hooks at a batch's end run in a thread pool. No callback has any in the first fit. In the
second one has, and is given without a list, where nobody looks for it."""

from __future__ import annotations

from typing import Any

import common


class Quiet(common.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        pass


class Counting(common.Callback):
    batches = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.batches += 1


x, y = common.data()
for callbacks in ([Quiet()], Counting()):
    common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
