"""The stalls of a run, as `fittrace run --hang-after` finds them: a line of JSON for each, in the run's folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ..schema.regular_files import open_regular

FILE = "stalls.jsonl"
_LARGEST = 8 << 20
"""Bytes of the file that are read."""
_LONGEST = 4096
"""Characters of a line that are kept."""


@dataclass(frozen=True)
class Stall:
    """A time in which a run recorded nothing.

    - `time_ns`: when it was noticed, in Unix nanoseconds.
    - `seconds`: for how long nothing had been recorded then.
    - `lines`: what `fittrace where` said.
    """

    time_ns: int
    seconds: float
    lines: list[str]


def append_stall(directory: Path, stall: Stall) -> None:
    """Add a stall to those of the run in `directory`. Raises `OSError` where it cannot be written."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(directory / FILE, flags, 0o644), "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(json.dumps(asdict(stall)) + "\n")


def stalls_of(directory: Path) -> list[Stall]:
    """The stalls of the run in `directory`. What is damaged is left out."""
    try:
        with open_regular(str(directory / FILE)) as file:
            rows = file.read(_LARGEST).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [stall for stall in map(_stall, rows) if stall is not None]


def _stall(row: str) -> Stall | None:
    try:
        facts = json.loads(row)
        time_ns, seconds, lines = facts["time_ns"], facts["seconds"], facts["lines"]
        if type(time_ns) is not int or not 0 <= time_ns < 1 << 62 or not 0 <= float(seconds) < 1e12:
            return None
        return Stall(time_ns, float(seconds), [str(line)[:_LONGEST] for line in lines])
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
