"""What a finished fit can be asked again: its hooks, driven with other callbacks."""

from .absent import AbsentInput
from .drive import CallbackFailed, drive
from .driven import Driven, Stop

__all__ = ["AbsentInput", "CallbackFailed", "Driven", "Stop", "drive"]
