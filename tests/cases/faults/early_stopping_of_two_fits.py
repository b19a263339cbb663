"""One EarlyStopping serves two fits. The second stops after `patience` epochs, though its loss falls in every epoch."""

from __future__ import annotations

import common
import numpy as np

keras = common.keras
x = np.random.RandomState(1).rand(64, 6).astype("float32")
stopper = keras.callbacks.EarlyStopping(monitor="loss", patience=3)
for scale in (0.01, 10.0):
    model = common.model()
    model.optimizer.learning_rate = 0.01
    model.fit(x, scale * x.sum(1, keepdims=True), epochs=12, verbose=0, callbacks=[stopper])
