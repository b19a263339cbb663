"""Capture: what runs inside the traced interpreter.

The way of a record: `instrument` puts probes into the engine's own functions, after the tables of `engines`, as the
engine's modules are imported. `record` is what a probe calls; it appends to its thread's buffer. `journal` takes the
records away in the background and appends them to a file. `sampling` asks TensorFlow what ran in a batch. `isolation`
keeps fittrace and the traced program out of each other's way. `tracing` is all of the engines that record in a process,
`recording` one journal from its first block to its last, and `session` the life cycle of both.

Everything here runs in other people's programs: Python 3.7, the standard library, no exception ever let out.
"""

from .session import Session

__all__ = ["Session"]
