"""The reference engine builds its callable anew in every batch, as it does when its feeds change."""

from __future__ import annotations

from typing import Any

import common


class Forgetful(common.Callback):
    """Takes the callable away that `Function` keeps."""

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.train_function._callable_fn = None


x, y = common.data()
common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Forgetful()])
