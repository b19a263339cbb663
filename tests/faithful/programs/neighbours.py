"""Programs that do to their process what capture has to live with, one for each name in the arguments."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras


class Each(keras.Callback):
    """Calls a function at a batch."""

    def __init__(self, batch: int, function: Callable[..., Any]) -> None:
        self.batch, self.function = batch, function

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == self.batch:
            self.function()


def at(function: Callable[..., Any], batches: int = 20, batch: int = 5) -> Any:
    """Train, and call a function in the middle of it."""
    return keras.Model().fit(batches, 1, [Each(batch, function)])


def asyncio_executor() -> None:
    async def main() -> tuple[list[Any], int, Any]:
        loop = asyncio.get_running_loop()
        work = [loop.run_in_executor(None, keras.Model().fit, steps) for steps in (10, 20)]
        ticks = [await asyncio.sleep(0.001, result=number) for number in range(5)]
        return [await one for one in work], len(ticks), await asyncio.to_thread(keras.Model().fit, 30)

    print(asyncio.run(main()))


def asyncio_timeout() -> None:
    """The thread goes on after who waited for it has lost patience."""

    async def main() -> None:
        try:
            await asyncio.wait_for(asyncio.to_thread(keras.Model(0.01).fit, 20), 0.05)
        except asyncio.TimeoutError:
            print("too late")

    asyncio.run(main())


def trio_threads() -> None:
    import trio

    async def main() -> None:
        with trio.move_on_after(0.05) as scope:
            await trio.to_thread.run_sync(lambda: keras.Model(0.01).fit(20), abandon_on_cancel=True)
        print(scope.cancelled_caught)
        async with trio.open_nursery() as nursery:
            for steps in (10, 30):
                nursery.start_soon(trio.to_thread.run_sync, keras.Model().fit, steps)
        # Called by the loop itself, which trio wakes by a file descriptor of its own.
        keras.Model().fit(15)

    trio.run(main)
    time.sleep(0.3)


def fault_handler() -> None:
    with open("stacks", "w") as file:
        at(lambda: faulthandler.dump_traceback(file, all_threads=False))
    faulthandler.enable()
    print("on_train_batch_end" in Path("stacks").read_text(), faulthandler.is_enabled())


def garbage() -> None:
    gc.set_threshold(1, 1, 1)
    at(gc.freeze)
    gc.unfreeze()
    at(gc.collect)
    print(gc.isenabled(), gc.get_threshold(), gc.garbage)


def replaced() -> None:
    """The process becomes another program."""
    if "again" in sys.argv:
        keras.Model().fit(30)
        print("again")
    else:
        keras.Model().fit(20)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.argv, "again"])


def replaced_in_a_fit() -> None:
    if "again" in sys.argv:
        keras.Model().fit(30)
        print("again")
    else:
        at(lambda: os.execv(sys.executable, [sys.executable, *sys.argv, "again"]))


def forked_in_a_fit() -> None:
    # From Python 3.12 on a fork warns where there are more threads, those of capture too (docs/observer-effects.md).
    warnings.simplefilter("ignore", DeprecationWarning)

    def fork() -> None:
        sys.stdout.flush()
        child = os.fork()
        if child:
            print("child", os.waitpid(child, 0)[1])
        else:
            keras.Model().fit(30)

    at(fork)
    print("through")


def forkserver() -> None:
    context = multiprocessing.get_context("forkserver")
    with context.Pool(2) as pool:
        print(pool.map(trained, [10, 20]))
        pool.close()
        pool.join()


def trained(steps: int) -> Any:
    return keras.Model().fit(steps)


def threads_at_exit() -> None:
    """One that the exit waits for, and one that it does not."""
    threading.Thread(target=keras.Model(0.001).fit, args=(100,)).start()
    threading.Thread(target=keras.Model(0.001).fit, args=(100_000,), daemon=True).start()
    time.sleep(0.05)
    print("exit")


def folder_deleted() -> None:
    keras.Model().fit(10)
    if "FITTRACE_RUN" in os.environ:
        shutil.rmtree(os.environ["FITTRACE_RUN"])
    keras.Model().fit(20)
    print("through")


def folder_deleted_before() -> None:
    if "FITTRACE_RUN" in os.environ:
        shutil.rmtree(os.environ["FITTRACE_RUN"])
    keras.Model().fit(20)
    print("through")


def memory_limited() -> None:
    """Nearly all of the address space is taken, and then all of it."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (16 << 20), resource.RLIM_INFINITY))
    kept = []

    def fill() -> None:
        size = 1 << 22
        while size > 1 << 12:
            try:
                kept.append(bytearray(size))
            except MemoryError:
                size //= 2

    at(fill, 2000, 1000)
    kept.clear()
    print("through")


def files_limited() -> None:
    """No descriptor is left when the first fit begins, and again in a fit."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limit[1]))
    kept = []

    def fill() -> None:
        try:
            while True:
                kept.append(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            print(error.strerror)

    fill()
    keras.Model().fit(10)
    while kept:
        os.close(kept.pop())
    at(fill)
    while kept:
        os.close(kept.pop())
    keras.Model().fit(30)


def rooted() -> None:
    keras.Model().fit(10)
    os.chroot(tempfile.mkdtemp(dir="."))
    os.chdir("/")
    keras.Model().fit(20)
    print(os.listdir("/"))


def rooted_before() -> None:
    os.chroot(tempfile.mkdtemp(dir="."))
    os.chdir("/")
    keras.Model().fit(20)
    print(os.listdir("/"))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
