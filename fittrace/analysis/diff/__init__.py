"""Two traces compared: arguments, hooks, logs, flow and time, fit by fit."""

from .compare import Comparison, compare
from .difference import ASPECTS, Difference, PhaseTime, Tolerances

__all__ = ["ASPECTS", "Comparison", "Difference", "PhaseTime", "Tolerances", "compare"]
