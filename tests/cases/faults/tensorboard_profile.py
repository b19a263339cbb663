"""TensorBoard(profile_batch=...) makes the batch slow in which it stops the profiler."""

from __future__ import annotations

import tempfile

import common

with tempfile.TemporaryDirectory() as folder:
    board = common.keras.callbacks.TensorBoard(folder, profile_batch=(2, 4))
    common.model().fit(*common.data(640), epochs=2, verbose=0, callbacks=[board])
