"""tensorflow/tensorflow#41851: the callbacks of one hook are given different logs.

TensorFlow 2.2 to 2.4 gave a copy of the logs to callbacks that were not its own. They do not run on a Python that is
still maintained, so here a callback does it: it passes its hooks on to others, with Keras' own list, and a copy of the
logs.
"""

from __future__ import annotations

from typing import Any

import common

CallbackList = common.keras.callbacks.CallbackList


class Group(common.Callback):
    """Passes its hooks on."""

    def __init__(self, callbacks: list[common.Callback]) -> None:
        super().__init__()
        self.members = CallbackList(callbacks)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        self.members.on_epoch_end(epoch, dict(logs))


class Scores(common.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        logs["score"] = 0.5
        logs["loss"] = logs["loss"] + 1


x, y = common.data()
stopping = common.keras.callbacks.EarlyStopping(monitor="score", mode="max")
common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Group([Scores()]), stopping])
