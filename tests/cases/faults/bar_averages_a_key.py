"""A callback adds a key to the batch's logs. The progress bar shows the average of its values."""

from __future__ import annotations

from typing import Any

import common


class Count(common.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            logs["step"] = float(batch)


common.model().fit(*common.data(64), batch_size=8, epochs=1, verbose=1, callbacks=[Count()])
