"""save_freq=5 * batch_size is meant as "every 5 epochs", and saves every 160 batches."""

from __future__ import annotations

import os
import tempfile

import common

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "{epoch:04d}.weights.h5")
    saver = common.keras.callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=5 * 32)
    common.model().fit(*common.data(39 * 32), batch_size=32, epochs=9, verbose=0, callbacks=[saver])
