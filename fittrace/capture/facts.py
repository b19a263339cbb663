"""The facts of a process, with which its journal begins."""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

from ..schema import VERSION


def facts(wall_ns: int, clock_ns: int, run_metadata: str) -> dict[str, Any]:
    """The facts of this process. The wall clock and the process' clock show these moments at one time; `run_metadata`
    are the batches whose ops are kept."""
    return {
        "schema": VERSION,
        "pid": os.getpid(),
        "parent_pid": os.getppid(),
        "rank": _rank(),
        "host": socket.gethostname(),
        "python": sys.version.split()[0],
        "executable": sys.executable or "",
        "argv": [str(argument) for argument in getattr(sys, "argv", ())],
        "time_ns": wall_ns,
        "clock_ns": clock_ns,
        "run_metadata": run_metadata,
    }


def _rank() -> int | None:
    try:
        index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
        return index if isinstance(index, int) else None
    except (KeyError, TypeError, ValueError):
        return None
