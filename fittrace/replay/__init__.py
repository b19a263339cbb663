"""Replay: a fit that is over, gone through again.

Statement by statement: `recording` reads the control flow from the tables, `walk` finds the statements between the
records with the help of `graph`, `stretches` does so once for all turns that are alike, and `cursor` moves among them,
to `breakpoints` if need be. `visits` counts them, and `lines` sums their time up. Hook by hook: `recorded` reads the
hooks, and `drive` passes them on to other callbacks.
"""

from .breakpoints import Breakpoint
from .cursor import Replay
from .driving.driver import CallbackFailed, drive
from .driving.outcome import Driven, Stop
from .driving.stand_ins import AbsentInput
from .line_profile import lines_of
from .recorded_flow import NoFlow, Recording, recording
from .statement_visits import unknown_of, visits_of
from .step import NoStep, Step

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
