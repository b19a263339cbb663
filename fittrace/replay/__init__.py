"""Replay: a fit that is over, gone through again.

Statement by statement: `recording` reads the control flow from the tables, `walk` finds the statements between the
records with the help of `graph`, `stretches` does so once for all turns that are alike, and `cursor` moves among them,
to `breakpoints` if need be. `visits` counts them, and `lines` sums their time up. Hook by hook: `recorded` reads the
hooks, and `drive` passes them on to other callbacks.
"""

from .absent import AbsentInput
from .breakpoints import Breakpoint
from .cursor import Replay
from .drive import CallbackFailed, drive
from .driven import Driven, Stop
from .lines import lines_of
from .recording import NoFlow, Recording, recording
from .step import NoStep, Step
from .visits import unknown_of, visits_of

__all__ = [
    "AbsentInput",
    "Breakpoint",
    "CallbackFailed",
    "Driven",
    "NoFlow",
    "NoStep",
    "Recording",
    "Replay",
    "Step",
    "Stop",
    "drive",
    "lines_of",
    "recording",
    "unknown_of",
    "visits_of",
]
