"""Trains, tells a witness file when each of its hooks ran, and ends as it is asked to.

train.py WITNESS ENDING [--steps N] [--epochs N] [--batch-s S] [--at N]
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import keras

parser = argparse.ArgumentParser()
parser.add_argument("witness")
parser.add_argument("ending", default="return", nargs="?")
parser.add_argument("--steps", type=int, default=50)
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--batch-s", type=float, default=0.0)
parser.add_argument("--at", type=int, default=120)
parser.add_argument("--largest-file", type=int)
given = parser.parse_args()
witness = os.open(given.witness, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def tell(what: str) -> None:
    os.write(witness, b"%d %s\n" % (time.time_ns(), what.encode()))


def die_in_children() -> None:
    for sign in (signal.SIGKILL, signal.SIGSEGV, None):
        child = os.fork()
        if child == 0:
            if sign is None:
                keras.Model().fit(3)
                os._exit(0)
            os.kill(os.getpid(), sign)
        os.waitpid(child, 0)


def eat_memory() -> None:
    # Little more than there is in use now: the next that asks for memory, whoever it is, gets none.
    with open("/proc/self/statm") as numbers:
        pages = int(numbers.read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (8 << 20),) * 2)
    eaten = []
    while True:
        eaten.append(bytearray(1 << 16))


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)


def raise_key_error() -> None:
    raise KeyError("nothing")


def raise_memory_error() -> None:
    raise MemoryError


ENDINGS: dict[str, Callable[[], object]] = {
    "return": lambda: None,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "term": terminate,
    "interrupt": lambda: os.kill(os.getpid(), signal.SIGINT),
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(0),
    "_exit": lambda: os._exit(3),
    "exit": lambda: sys.exit(4),
    "raise": raise_key_error,
    "memory": raise_memory_error,
    "out-of-memory": eat_memory,
    "fork": die_in_children,
    "thread": lambda: threading.Thread(target=os._exit, args=(5,)).start(),
}


class Witness(keras.Callback):
    seen = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        tell("on_epoch_begin")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        logs["lr"] = 0.1 * batch
        self.seen += 1
        if self.seen == given.at:
            time.sleep(0.5)  # the collector takes what there is
            tell("ending")
            ENDINGS[given.ending]()
        tell("on_train_batch_end")


if given.largest_file:
    resource.setrlimit(resource.RLIMIT_FSIZE, (given.largest_file,) * 2)
tell(f"start {os.getpid()}")
keras.Model(given.batch_s).fit(given.steps, given.epochs, [keras.Callback(), Witness()], validation_data=2)
tell("end")
