"""A callback sets layer.trainable during the fit. The function is built already, and nothing changes."""

from __future__ import annotations

from typing import Any

import common

keras = common.keras
base = keras.layers.Dense(4)
model = keras.models.Sequential([keras.layers.Input((6,)), base, keras.layers.Dense(1)])
base.trainable = False
model.compile(keras.optimizers.SGD(0.1), "mse")


class Unfreeze(common.Callback):
    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch == 2:
            base.trainable = True


model.fit(*common.data(), epochs=4, verbose=0, callbacks=[Unfreeze()])
