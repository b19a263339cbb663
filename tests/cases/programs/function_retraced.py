"""A `tf.function` that is made anew again and again."""

from __future__ import annotations

from typing import Any

import common

# At no regular interval: to make it takes time in the hook too, which would be a stall.
BATCHES = (4, 14, 21, 37, 44, 58)


class Remaking(common.Callback):
    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch in BATCHES:
            self.model.make_train_function(force=True)


x, y = common.data(480)
keras = common.keras
model = keras.Sequential([keras.Input((6,)), *(keras.layers.Dense(8) for _ in range(8)), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Remaking()])
