"""`fittrace replay`: walks through a finished fit in the engine's source."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..schema.errors import FittraceError
from .progress import progress
from .subcommand import Subcommand
from .trace_arguments import add_fit, add_trace
from .which_trace import find_trace

if TYPE_CHECKING:
    from ..replay.cursor import Replay
    from ..replay.step import Step

_EXAMPLES = """\
example:
  fittrace replay                              the newest run under traces/, at a prompt; `help` lists its commands
  fittrace replay traces/2026-01-31-train --epoch 3 --batch 120
  fittrace replay --plain --epoch 0 --batch 0  print every step of the first batch
  fittrace replay --json | jq .function        print the function of every step
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run")
    add_fit(parser)
    parser.add_argument("--epoch", type=int, metavar="E", help="begin at this epoch")
    parser.add_argument("--batch", type=int, metavar="B", help="begin at this batch of the epoch that --epoch gives")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--plain", action="store_true", help="print every step: of the fit, or of the epoch or batch")
    form.add_argument("--json", action="store_true", help="the same in JSON, a line for each step")


def _run(arguments: argparse.Namespace) -> int:
    """Open the prompt, or print the steps."""
    if arguments.batch is not None and arguments.epoch is None:
        raise FittraceError("replay: --batch without --epoch; batches are counted in each epoch anew, so give both")
    path = find_trace(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        from ..open_trace import Trace

        trace = Trace.open(path, report)
        replay = trace.replay(arguments.fit, arguments.process)
        if arguments.epoch is not None:
            replay.goto(arguments.epoch, arguments.batch)
    if arguments.plain or arguments.json:
        from ..views import replay_steps

        steps = _chosen_steps(replay, arguments)
        lines = replay_steps.walk_json(steps) if arguments.json else replay_steps.walk_lines(steps)
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return 0
    from ..prompt.input_lines import reader
    from ..prompt.replay_session import ReplaySession
    from ..prompt.shell import Shell

    fit = f"{replay.recording.where} AND fit = {replay.recording.fit}"
    shell = Shell(ReplaySession(replay, trace, fit, sys.stdout))
    shell.run(reader(sys.stdin, sys.stdout, shell.completions))
    return 0


def _chosen_steps(replay: Replay, arguments: argparse.Namespace) -> Iterable[Step]:
    """The steps of the fit, or of the epoch or batch that the arguments name."""
    from ..replay import step_ranges

    if arguments.epoch is None:
        return replay
    return step_ranges.steps_from_here(replay, step_ranges.EPOCH if arguments.batch is None else step_ranges.BATCH)


COMMAND = Subcommand(
    name="replay",
    help="walk through a fit, forwards and backwards",
    description="Walk through a finished fit in the engine's source, with pdb's commands, forwards and backwards.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
