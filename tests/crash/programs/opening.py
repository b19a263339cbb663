"""Opens the run in the folder that it is given, reads every table, and prints how much memory that took.

Memory is what was resident at most, above what the libraries take by themselves.
"""

from __future__ import annotations

import json
import resource
import sys

import fittrace
from fittrace.tables.computed_tables import VIEWS


def peak() -> int:
    """Bytes that were resident at most until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


before = peak()
trace = fittrace.open(sys.argv[1])
opened = peak()
rows = {name: trace.relation(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in VIEWS}
print(json.dumps({"bytes": opened - before, "rows": rows, "notes": trace.notes()["message"].tolist()}))
