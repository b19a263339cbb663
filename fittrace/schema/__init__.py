"""What capture and reading agree on: the journal's blocks, the run's facts and the tables at rest.

Nothing here imports the rest of fittrace. `journal` and `run` are written by code that runs inside the traced
interpreter, so this package keeps to Python 3.7 and the standard library.
"""

VERSION = 1
"""The schema that this fittrace writes. History: 1, the first."""

OLDEST = 1
"""The oldest schema that this fittrace reads."""
