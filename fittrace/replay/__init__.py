"""Replay: the control flow of a fit that is over, statement by statement.

`recording` reads it from the tables, `walk` finds the statements between the records with the help of `graph`,
`stretches` does so once for all turns that are alike, and `cursor` moves among them. `lines` sums them up.
"""

from .cursor import NoStep, Replay, Step
from .lines import lines_of
from .recording import NoFlow, Recording, recording

__all__ = ["NoFlow", "NoStep", "Recording", "Replay", "Step", "lines_of", "recording"]
