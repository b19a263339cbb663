"""Launching: start a program under capture, or capture in this very process, and turn what was recorded into tables."""

from .inline import trace
from .program import Finished, Program, execute
from .repeated import Repeated

__all__ = ["Finished", "Program", "Repeated", "execute", "trace"]
