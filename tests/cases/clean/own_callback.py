"""A callback of the program's own that logs a number of each epoch."""

from __future__ import annotations

from typing import Any

import common


class Norm(common.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            logs["norm"] = float((self.model.get_weights()[0] ** 2).sum())


common.model().fit(*common.data(320), epochs=4, verbose=0, callbacks=[Norm()])
