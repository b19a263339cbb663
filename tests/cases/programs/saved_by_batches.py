"""tensorflow/tensorflow#33163: a checkpoint that is saved every so many batches looks for `val_loss` there, and
cannot tell which is best. Before it a fit that fails in its first epoch, of which nothing can be told."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import Any

import common

x, y = common.data()


class Failing(common.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        raise RuntimeError("on purpose")


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "best.weights.h5")
    options = {"monitor": "val_loss", "save_best_only": True, "save_weights_only": True}
    saving = common.keras.callbacks.ModelCheckpoint(path, save_freq=4, **options)
    for callbacks in ([common.keras.callbacks.EarlyStopping("val_loss"), Failing()], [saving]):
        with contextlib.suppress(RuntimeError):
            common.model().fit(x, y, validation_split=0.25, epochs=2, verbose=0, callbacks=callbacks)
