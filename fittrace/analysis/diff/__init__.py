"""Compares two traces fit by fit: arguments, hooks, logs, control flow and time."""

from .compare import Comparison, compare
from .comparison_data import ASPECTS, Difference, PhaseTime, Tolerances

__all__ = ["ASPECTS", "Comparison", "Difference", "PhaseTime", "Tolerances", "compare"]
