"""One ModelCheckpoint serves two fits. In the second it saves nothing, since it compares with the best of the first."""

from __future__ import annotations

import os
import tempfile

import common
import numpy as np

x = np.random.RandomState(1).rand(64, 6).astype("float32")
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "best.weights.h5")
    saver = common.keras.callbacks.ModelCheckpoint(path, "loss", save_best_only=True, save_weights_only=True)
    for scale in (0.01, 10.0):
        common.model().fit(x, scale * x.sum(1, keepdims=True), epochs=4, verbose=0, callbacks=[saver])
