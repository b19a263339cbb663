"""The callbacks that most programs have, each set as it is meant."""

from __future__ import annotations

import os
import tempfile

import common

keras = common.keras
x, y = common.data(320)
with tempfile.TemporaryDirectory() as folder:
    best = os.path.join(folder, "best.weights.h5")
    common.model(metrics=["mae"]).fit(
        x,
        y,
        epochs=6,
        verbose=0,
        validation_data=(x[:64].copy(), y[:64]),
        callbacks=[
            keras.callbacks.ModelCheckpoint(best, save_best_only=True, save_weights_only=True),
            keras.callbacks.ReduceLROnPlateau(patience=2),
            keras.callbacks.EarlyStopping(patience=3),
            keras.callbacks.CSVLogger(os.path.join(folder, "log.csv")),
            keras.callbacks.TerminateOnNaN(),
        ],
    )
