"""Replay: goes through a fit that is over, statement by statement or hook by hook.

Statement by statement, from the records to the user:

- `recorded_flow` reads the control flow of a fit from the tables, as `flow_graph`s and turns.
- `walk` finds the statements that ran between two records; `turn_runs` walks each kind of turn once.
- `timeline` finds steps by their place in the fit; `step_times`, `step_values` and `step_reader` read them.
- `breakpoints` say where to stop; `search` finds the step.
- `cursor` is what users get: `Replay`. `why`, `batch_time`, `line_profile` and `statement_visits` analyse one.

Hook by hook: `driving` passes the recorded hooks on to other callbacks.
"""

from .breakpoints import Breakpoint
from .cursor import Replay
from .driving.driver import CallbackFailed, drive
from .driving.outcome import Driven, Stop
from .driving.stand_ins import AbsentInput
from .line_profile import lines_of
from .recorded_flow import NoFlow, RecordedFlow, recording
from .statement_visits import unknown_of, visits_of
from .step import NoStep, Step

__all__ = [
    "AbsentInput",
    "Breakpoint",
    "CallbackFailed",
    "Driven",
    "NoFlow",
    "NoStep",
    "RecordedFlow",
    "Replay",
    "Step",
    "Stop",
    "drive",
    "lines_of",
    "recording",
    "unknown_of",
    "visits_of",
]
