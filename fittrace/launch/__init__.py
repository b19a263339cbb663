"""Launching: start a program under capture, or capture in this very process, and turn what was recorded into tables."""

from .in_process import trace
from .repeated_runs import Repeated
from .run_program import Finished, Program, execute

__all__ = ["Finished", "Program", "Repeated", "execute", "trace"]
