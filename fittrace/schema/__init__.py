"""The formats that capture writes and the store reads: the journal, the facts of a run, and the tables.

This package imports nothing from the rest of fittrace. Code inside the traced interpreter uses it too, so it keeps to
Python 3.7 and the standard library.
"""

VERSION = 1
"""The schema version that this fittrace writes. History: 1 is the first."""

OLDEST = 1
"""The oldest schema version that this fittrace reads."""
