"""Capture: what runs inside the traced interpreter.

The life of a record: `rewrite` puts probes into the engine's own functions, after the tables of `engines`;
`install` swaps the rewritten code in as `imports` sees the engine's modules arrive; `recorder` is what a probe calls;
`collector` takes the records away in the background and `writer` appends them to the journal; `session` owns them all.

Everything here runs in other people's programs: Python 3.7, the standard library, no exception ever let out.
"""

from .session import Session

__all__ = ["Session"]
