"""Fits in green threads that take turns within each other's hooks. Says in which order their batches came.

The argument says which library makes them, and whether it replaces Python's threads before or after Keras is imported.
"""

from __future__ import annotations

import faulthandler
import sys
from typing import Any

library, _, when = sys.argv[1].partition("-")
if when == "late":
    import keras

if library == "gevent":
    from gevent import monkey

    monkey.patch_all()
    from gevent import sleep, spawn
elif library == "eventlet":
    import eventlet

    eventlet.monkey_patch()
    from eventlet import sleep, spawn
else:  # greenlets alone, each of which hands control on by itself
    import greenlet

if when != "late":
    import keras

# Where it hangs it ends, and says where.
faulthandler.dump_traceback_later(60, exit=True)


class Turns(keras.Callback):
    def __init__(self, name: str) -> None:
        self.name = name

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        print(self.name, batch)
        take_turns()


def fit(name: str, batches: int) -> None:
    keras.Model().fit(batches, 2, [Turns(name)])


if library == "greenlet":
    hub = greenlet.getcurrent()

    def take_turns() -> None:
        if greenlet.getcurrent() is not hub:
            hub.switch()

    waiting = [greenlet.greenlet(fit), greenlet.greenlet(fit)]
    for number, one in enumerate(waiting):
        one.switch(f"green {number}", 20 + number)
    fit("main", 10)
    while any(waiting):
        for one in waiting:
            if one:
                one.switch()
else:

    def take_turns() -> None:
        sleep(0)

    waiting = [spawn(fit, f"green {number}", 20 + number) for number in range(2)]
    fit("main", 10)
    for one in waiting:
        one.join() if library == "gevent" else one.wait()
    # Green threads that come later, one after the other.
    for _turn in range(2):
        last = spawn(fit, "late", 5)
        last.join() if library == "gevent" else last.wait()
fit("main again", 10)
faulthandler.cancel_dump_traceback_later()
