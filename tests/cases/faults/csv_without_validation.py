"""CSVLogger writes val_ columns of NA, though nothing is validated."""

from __future__ import annotations

import os
import tempfile

import common

with tempfile.TemporaryDirectory() as folder:
    logger = common.keras.callbacks.CSVLogger(os.path.join(folder, "log.csv"))
    common.model(metrics=["mae"]).fit(*common.data(), epochs=2, verbose=0, callbacks=[logger])
