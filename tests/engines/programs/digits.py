"""Runs docs/examples/digits.py, and writes down into the file SEEN what its own callback saw and its history."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import threading
from typing import Any

spec = importlib.util.spec_from_file_location("digits", os.environ["DIGITS"])
assert spec is not None and spec.loader is not None
digits: Any = importlib.util.module_from_spec(spec)
sys.modules["digits"] = digits
spec.loader.exec_module(digits)
SEEN: dict[str, Any] = {"hooks": []}


class Seeing(digits.WorstBatch):
    """The script's callback, which writes down every hook that it is given."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.see("on_train_begin")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.see("on_epoch_begin", epoch)
        super().on_epoch_begin(epoch, logs)

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.see("on_batch_begin", batch)

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.see("on_batch_end", batch)
        super().on_batch_end(batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.see("on_epoch_end", epoch)
        super().on_epoch_end(epoch, logs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.see("on_train_end")
        history = self.model.history.history
        SEEN["history"] = {key: [float(value) for value in values] for key, values in history.items()}

    @staticmethod
    def see(hook: str, number: int | None = None) -> None:
        SEEN["hooks"].append([hook, number, threading.current_thread().name])


digits.WorstBatch = Seeing
digits.main()
with open(os.environ["SEEN"], "w") as file:
    json.dump(SEEN, file)
