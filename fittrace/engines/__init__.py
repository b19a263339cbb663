"""The engines, as data: which statement of which function is which phase, for every Keras that fittrace knows.

An engine is a table (`model`), matched against the engine's own source by name and shape, never by line number.
This package imports nothing but itself: not Keras, not the rest of fittrace.
"""

from __future__ import annotations

from .keras3 import KERAS3
from .model import CallbackLists, Calls, Engine, Function, Loop, Phase, Tests

ENGINES: tuple[Engine, ...] = (KERAS3,)

__all__ = ["ENGINES", "CallbackLists", "Calls", "Engine", "Function", "Loop", "Phase", "Tests"]
