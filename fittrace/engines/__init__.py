"""The engines as data: which statement of which function is which phase, for every Keras that fittrace knows.

An engine is a table (`engine_table`). Its entries are matched against the engine's own source by name and shape, never
by line number. This package imports neither Keras nor the rest of fittrace.
"""

from __future__ import annotations

from .engine_table import Assigns, CallbackLists, Calls, Engine, Function, Loop, Over, Phase, Tests
from .keras2 import KERAS22
from .keras3 import KERAS3
from .session_calls import Cached, SessionRun
from .tf_keras import TF_KERAS
from .tf_keras_v1 import TF_1, TF_KERAS_V1

ENGINES: tuple[Engine, ...] = (KERAS22, TF_1, TF_KERAS_V1, TF_KERAS, KERAS3)
"""All engines, the oldest first."""

__all__ = [
    "ENGINES",
    "Assigns",
    "Cached",
    "CallbackLists",
    "Calls",
    "Engine",
    "Function",
    "Loop",
    "Over",
    "Phase",
    "SessionRun",
    "Tests",
]
