"""Watches a run for stalls, in a process of its own: what `fittrace run --hang-after` starts.

The process that runs the program waits for signals, so it can have no thread that looks.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..schema.errors import FittraceError
from ..schema.safe_text import printable

_UNITS = {"s": 1, "m": 60, "h": 3600, "": 1}
_LONGEST_PERIOD_S = 5.0
"""Seconds between two looks at the sizes, at most."""


def seconds(text: str) -> float:
    """A time such as `90s`, `10m` or `2h` in seconds. It is also the `type` of an argparse option.

    >>> seconds("90"), seconds("10m"), seconds("1.5h")
    (90.0, 600.0, 5400.0)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h|)", text)
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text}: not a time such as 90s, 10m or 2h")
    return float(match[1]) * _UNITS[match[2]]


@contextmanager
def watching(directory: Path, hang_after_s: float | None) -> Iterator[None]:
    """Watch the run in `directory` while the block runs.

    `hang_after_s`: for so many seconds the run may record nothing; None: do not watch.
    """
    if hang_after_s is None:
        yield
        return
    command = [sys.executable, "-m", __name__, str(directory), str(hang_after_s)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def watch(directory: Path, hang_after_s: float) -> None:
    """Report each stall of a run, once, to standard error and into its folder, until the run ends."""
    from ..store.converter_lock import is_running

    period, sizes, since, is_told = min(hang_after_s / 4, _LONGEST_PERIOD_S), _sizes(directory), time.monotonic(), False
    # The folder is marked as running before this process starts.
    while is_running(directory):
        time.sleep(period)
        before, sizes = sizes, _sizes(directory)
        if sizes != before:
            since, is_told = time.monotonic(), False
        elif sizes and not is_told and time.monotonic() - since >= hang_after_s:
            is_told = True
            _report(directory, time.monotonic() - since)


def _sizes(directory: Path) -> dict[str, int]:
    """The sizes of the journals. They grow within a second of anything that is recorded."""
    from ..store.run_files import journals

    sizes = {}
    for path in journals(directory):
        try:
            sizes[path.name] = path.stat().st_size
        except OSError:  # it has just been removed
            continue
    return sizes


def _report(directory: Path, stood_s: float) -> None:
    from ..store.stalls import Stall, append_stall
    from .where import report_lines

    try:
        lines = list(report_lines(directory, None))
    except FittraceError as error:
        lines = [str(error)]
    print(f"fittrace: nothing has been recorded for {stood_s:.0f} s", *lines, sep="\n", file=sys.stderr, flush=True)
    try:
        append_stall(directory, Stall(time.time_ns(), round(stood_s, 1), lines))
    except OSError as error:
        print(f"fittrace: {printable(directory)}: the stall is not kept ({error.strerror})", file=sys.stderr)


if __name__ == "__main__":
    # An interrupt of the terminal is meant for the program.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch(Path(sys.argv[1]), float(sys.argv[2]))
