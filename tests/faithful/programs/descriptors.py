"""Trains, takes the journal's descriptor away, trains on, and says whether what it opened is as it left it:
descriptors.py SCENARIO FOLDER

Its files are in a folder of its own, since it runs twice at the same time.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import sys
import threading
from io import FileIO
from pathlib import Path
from typing import Any

import keras

folder = Path(sys.argv[2]) / str(os.getpid())
folder.mkdir()
DATA = b"my own data\n"


class Waiting:
    """Gives the journal's writer time for several blocks."""

    def __getattr__(self, name: str) -> Any:
        if name == "on_epoch_end":
            threading.Event().wait(0.5)
        return lambda *given, **named: None


def fit(steps: int = 50) -> None:
    keras.Model().fit(steps, 2, callbacks=[Waiting()])


def journals() -> list[int]:
    """The numbers that lead to a journal; untraced there is none, and a number of the program's own stands for it."""
    links = {int(name): os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")}
    found = [number for number, link in links.items() if os.path.islink(link) and ".journal" in os.readlink(link)]
    return found or [os.dup(1)]


def opened(count: int) -> list[FileIO]:
    return [(folder / f"mine-{number}").open("w+b", buffering=0) for number in range(count)]


def check(files: list[FileIO]) -> None:
    """Whether each file holds what was written into it and nothing more."""
    for file in files:
        file.write(DATA)
        file.seek(0)
        assert file.read() == 2 * DATA, file.name


def train_on(count: int) -> None:
    files = opened(count)
    for file in files:
        file.write(DATA)
    fit()
    check(files)


def daemonise() -> None:
    os.closerange(3, 256)
    train_on(8)


def close_all() -> None:
    """As daemons do that go by the limit; the program then comes to use every number there is."""
    os.closerange(3, 1024)
    train_on(1000)


def close() -> None:
    for number in journals():
        os.close(number)
    train_on(2)


def dup2_file() -> None:
    (file,) = opened(1)
    file.write(DATA)
    for number in journals():
        os.dup2(file.fileno(), number)
    fit()
    check([file])


def dup2_socket() -> None:
    here, there = socket.socketpair()
    for number in journals():
        os.dup2(here.fileno(), number)
    fit()
    here.sendall(DATA)
    assert there.recv(1000) == DATA


def dup2_pipe() -> None:
    there, here = os.pipe()
    for number in journals():
        os.dup2(here, number)
    fit()
    os.write(here, DATA)
    assert os.read(there, 1000) == DATA


def use_up() -> None:
    """Leave no number free, take the journal's away too, and free some later."""
    files = []
    for number in journals():
        os.close(number)
    try:
        while True:
            files.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        print(error)
    fit()
    for number in files:
        os.close(number)
    train_on(2)


def remove() -> None:
    if "FITTRACE_RUN" in os.environ:
        shutil.rmtree(os.environ["FITTRACE_RUN"])
    train_on(2)


def remove_journals() -> None:
    if "FITTRACE_RUN" in os.environ:
        shutil.rmtree(os.path.join(os.environ["FITTRACE_RUN"], "journal"))
    train_on(2)


resource.setrlimit(resource.RLIMIT_NOFILE, (64 if sys.argv[1] == "use_up" else 1024,) * 2)
fit()
globals()[sys.argv[1]]()
fit(20)
print("done")
