"""Records runs, of a new program or in this process, and writes their tables when they end."""

from .in_process import trace
from .repeated_runs import RepeatedRuns
from .run_program import Finished, Program, execute

__all__ = ["Finished", "Program", "RepeatedRuns", "execute", "trace"]
