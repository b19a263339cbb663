"""A first fit, and a second that goes on with a lower learning rate and new callbacks."""

from __future__ import annotations

import common

keras = common.keras
x, y = common.data(320)
model = common.model()
model.fit(x, y, epochs=3, verbose=0, callbacks=[keras.callbacks.EarlyStopping("loss", patience=2)])
model.compile(keras.optimizers.SGD(0.001), "mse")
model.fit(x, y, epochs=5, initial_epoch=3, verbose=0, callbacks=[keras.callbacks.EarlyStopping("loss", patience=2)])
