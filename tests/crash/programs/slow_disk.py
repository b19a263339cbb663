"""Trains while the disk takes nothing, until everything that can be dropped has been; then it takes all again.

slow_disk.py RESULT
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import keras

from fittrace.capture import Session
from fittrace.capture.isolation.original_os import System
from fittrace.capture.journal import writer

takes = threading.Event()


def write(file: int, data: bytes, at: int) -> int:
    takes.wait()
    return os.pwrite(file, data, at)


System.write_at = staticmethod(write)
writer.BOUND = 200_000
largest = {"queue": 0, "buffers": 0}


class Watch(keras.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        session = Session.active
        assert session is not None
        if session._recording.writer is not None:
            largest["queue"] = max(largest["queue"], session._recording.writer.waiting)
        largest["buffers"] = max(largest["buffers"], sum(len(thread.buffer) for thread in session._threads.all))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        time.sleep(0.25)  # the collector comes by
        if epoch == 25:
            takes.set()


keras.Model().fit(800, 30, [Watch()], validation_data=2)
with open(sys.argv[1], "w") as result:
    json.dump(largest, result)
