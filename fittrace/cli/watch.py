"""`fittrace watch`: shows a run while it goes on."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema import run_facts as schema_run
from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from .subcommand import Subcommand
from .trace_arguments import add_trace
from .which_trace import TRACES, find_trace, newest, newest_running

if TYPE_CHECKING:
    from ..views.watch_figures import WatchFigures

_EXAMPLES = """\
example:
  fittrace watch                         the run that goes on under traces/
  fittrace watch traces/2026-01-31-train
  fittrace watch | tee epochs.txt        a line for each epoch
"""

TICK_S = 0.5
"""Seconds between two pictures. Capture writes its journal once a second."""
_BUDGET_S = 2.0
"""Seconds of reading after which a picture is drawn, while a watch that began late catches up."""
_ENDING_S = 3.0
"""Seconds to wait for how a run ended. Its launcher writes that shortly after the last process ends."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run, or of runs")


def _run(arguments: argparse.Namespace) -> int:
    """Show the run until it ends."""
    directory = _find(arguments.trace)
    facts = schema_run.read(str(directory))
    from ..store.converter_lock import is_running

    if not is_running(directory):
        print(f"{printable(facts['run'])}: has ended ({_ending(directory)}); fittrace show {printable(directory)}")
        return 0
    with _signals_as_exceptions():
        last = _watch_on_terminal(directory, facts) if sys.stdout.isatty() else _watch_in_lines(directory, facts)
    print(_last_line(directory, last))
    return 0


def _find(trace: str | None) -> Path:
    """The run that the user means. Of the runs in a folder, the newest one that goes on; if none does, the newest."""
    path = TRACES if trace is None else find_trace(trace)
    running = newest_running(path)
    if running is not None:
        return running
    if trace is None:
        raise FittraceError(
            "watch: no run goes on in traces/; start one with `fittrace run script.py`, or give a trace"
        )
    return newest(path) if path.is_dir() and not (path / schema_run.FILE).exists() else path


def _figures(directory: Path, facts: dict[str, object]) -> Iterator[WatchFigures]:
    """The figures of the run, again and again, until it has ended. The last ones are of all records."""
    from ..store.converter_lock import is_running
    from ..store.live.run_follower import RunFollower
    from ..views.watch_figures import gather

    follower = RunFollower(directory)
    start_ns = int(str(facts["start_ns"]))
    running = complete = True
    while running or not complete:
        began = time.monotonic()
        # Asked before reading, so that what the run has written by its end is read.
        running = is_running(directory)
        complete = follower.read(_BUDGET_S)
        if complete and not running:
            follower.finish()
        yield gather(str(facts["run"]), time.time_ns() - start_ns, follower.processes, not complete)
        if running and complete:
            time.sleep(max(TICK_S - (time.monotonic() - began), TICK_S / 10))


def _watch_on_terminal(directory: Path, facts: dict[str, object]) -> WatchFigures | None:
    """Draw pictures on a screen of their own, and leave the last one on the usual screen."""
    from rich.live import Live

    from ..views.terminal import console
    from ..views.watch_display import display

    out = console(sys.stdout)
    figures = None
    try:
        # The alternate screen keeps what is on the terminal, and a change of its size cannot garble it.
        with Live(console=out, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
            for figures in _figures(directory, facts):
                live.update(display(figures, out.width, out.height), refresh=True)
    finally:
        if figures is not None:
            out.print(display(figures, out.width, out.height))
    return figures


def _watch_in_lines(directory: Path, facts: dict[str, object]) -> WatchFigures | None:
    """Print a line for each epoch and for each finding."""
    from ..views.watch_lines import WatchLines

    lines = WatchLines()
    figures = None
    for figures in _figures(directory, facts):
        for line in lines.new(figures):
            print(line, flush=True)
    return figures


def _last_line(directory: Path, figures: WatchFigures | None) -> str:
    from ..analysis.units import duration

    took = f" after {duration(figures.elapsed_ns)}" if figures is not None else ""
    return f"ended{took} ({_ending(directory)}); fittrace show {printable(directory)}"


def _ending(directory: Path) -> str:
    """How the run ended, in a few words."""
    from ..store.run_files import RunFiles
    from ..views.run_ending import ending

    deadline = time.monotonic() + _ENDING_S
    while (facts := schema_run.read(str(directory))).get("end_ns") is None and time.monotonic() < deadline:
        time.sleep(TICK_S / 10)
    return ending(RunFiles(directory, facts, directory, running=False))


@contextmanager
def _signals_as_exceptions() -> Iterator[None]:
    """Let a signal that ends this process leave the block first, so that the terminal is restored."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


COMMAND = Subcommand(
    name="watch",
    help="show a run while it goes on",
    description="Show a run while it goes on: epoch and batch, rate, remaining time, phases, loss, slowest hooks,"
    " memory and findings. It only reads the trace, so it may be stopped at any time.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
