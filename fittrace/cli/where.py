"""`fittrace where`: says where a training stands that goes on, from outside."""

from __future__ import annotations

import argparse
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema import run_facts as schema_run
from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from .progress import progress
from .subcommand import Subcommand
from .which_trace import TRACES, find_trace, newest_running

if TYPE_CHECKING:
    from ..analysis.standing import Standing
    from ..store.live.python_processes import ProcessOfMachine
    from ..store.live.python_stacks import ThreadStack

_EXAMPLES = """\
example:
  fittrace where                         the newest run that goes on under traces/
  fittrace where traces/2026-01-31-train
  fittrace where 4711                    the run of the process with this number
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "trace",
        nargs="?",
        metavar="TRACE|PID",
        help=f"folder of a run, or the number of a process (default: the newest run that goes on under {TRACES}/)",
    )


def _run(arguments: argparse.Namespace) -> int:
    """Print where the processes of the run stand."""
    directory, pid = _find(arguments.trace)
    from ..store.converter_lock import is_running

    schema_run.read(str(directory))
    if not is_running(directory):
        raise FittraceError(f"{directory}: the run has ended; `fittrace show {directory}` says where it stood")
    with progress(f"reading {directory}", at_once=True) as report:
        lines = list(report_lines(directory, pid, report))
    for line in lines:
        print(line)
    return 0


def report_lines(
    directory: Path, pid: int | None, progress: Callable[[int, int], None] = lambda done, size: None
) -> Iterator[str]:
    """What is to be said of a run that goes on.

    - `directory`: its folder.
    - `pid`: the number of the process that is meant; None for all.
    - `progress`: is called while the trace is read.
    """
    from ..analysis.standing import standing
    from ..tables import TraceTables

    trace = TraceTables.open(directory, progress)
    found = [fit for fit in standing(trace) if pid is None or fit.process["pid"] == pid]
    yield printable(directory)
    if not found:
        yield "no process of the run is in a fit, evaluate or predict"
    processes = set()
    for fit in found:
        yield from _fit_lines(fit, with_stacks=fit.process["process"] not in processes)
        processes.add(fit.process["process"])


def _find(trace: str | None) -> tuple[Path, int | None]:
    """The run that the user means, and the process if a number was given."""
    if trace is not None and trace.isdigit() and not Path(trace).exists():
        return _run_of_process(int(trace)), int(trace)
    path = TRACES if trace is None else find_trace(trace)
    running = newest_running(path)
    if running is not None:
        return running, None
    if trace is None:
        raise FittraceError("where: no run goes on in traces/; give its folder, or the number of a process")
    return path, None


def _run_of_process(pid: int) -> Path:
    """The run that a process of this machine is recorded into."""
    from ..store.live.python_processes import exists, run_of

    if not exists(pid):
        raise FittraceError(f"process {pid}: there is none of this number here; give the folder of a run")
    try:
        run = run_of(pid)
    except PermissionError:
        raise FittraceError(f"process {pid}: it is another user's; run fittrace as that user or as root") from None
    if run is None:
        raise FittraceError(f"process {pid}: `fittrace run` did not start it; give the folder of its run")
    return run


def _fit_lines(found: Standing, with_stacks: bool) -> Iterator[str]:
    """Where a fit stands; for the first fit of a process also the stacks."""
    from ..analysis.waiting import pattern_of
    from ..store.live.python_processes import descendants
    from ..store.live.python_stacks import NoStacks, python_stacks
    from ..views.where_lines import child_lines, hook_of, pattern_lines, position_lines, stack_lines

    yield ""
    yield from position_lines(found, time.time_ns())
    host, pid = found.process["host"], found.process["pid"]
    if host != socket.gethostname():
        yield f"  its stacks are on {printable(host)}: run `fittrace where` there"
        return
    if not with_stacks:
        return
    try:
        stacks = python_stacks(pid)
    except NoStacks as error:
        yield f"  {printable(str(error))}"
        return
    children: dict[ProcessOfMachine, list[ThreadStack]] = {}
    for child in descendants(pid):
        children[child] = []
        with suppress(NoStacks):  # it may be no Python, or have just ended
            children[child] = [] if child.has_ended else python_stacks(child.pid)
    yield from pattern_lines(pattern_of(stacks, children, hook_of(found)))
    yield ""
    yield f"process {pid}"
    yield from stack_lines(stacks)
    for child, stacks_of_child in children.items():
        yield from child_lines(child, stacks_of_child)


COMMAND = Subcommand(
    name="where",
    help="say where a training stands that goes on",
    description="Say where a training stands that goes on: the fit, epoch, batch and hook that it is in, for how long,"
    " the Python stacks of its threads and child processes, and a known pattern. It does not stop the training.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
