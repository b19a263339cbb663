"""The facts of a process, which are the first block of its journal."""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

from ...schema.schema_version import VERSION
from ..isolation.clock import Clock


def facts() -> dict[str, Any]:
    """The facts of this process, and the present time of its two clocks."""
    wall, clock = Clock.wall_ns(), Clock.now_ns()
    return {
        "schema": VERSION,
        "pid": os.getpid(),
        "parent_pid": os.getppid(),
        "rank": _rank(),
        "host": socket.gethostname(),
        "python": sys.version.split()[0],
        "executable": sys.executable or "",
        "argv": [str(argument) for argument in getattr(sys, "argv", ())],
        "time_ns": wall,
        "clock_ns": clock,
    }


def _rank() -> int | None:
    """The rank of this process in distributed training, from `TF_CONFIG`. None if there is none."""
    try:
        index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
        return index if isinstance(index, int) else None
    except (KeyError, TypeError, ValueError):
        return None
