"""A run that died before its tables were written: a journal, and no tables."""

from __future__ import annotations

import json
from pathlib import Path

from fittrace.schema import run_facts as schema_run
from fittrace.schema.journal_format import MAGIC, BlockKind, block

WALL = 1_760_000_000_000_000_000


def write_died(directory: Path, name: str = "died") -> Path:
    """A run under `directory` of one process, which told who it is and nothing else."""
    folder = directory / name
    (folder / "journal").mkdir(parents=True)
    schema_run.new(str(folder), name, ["train.py"], "python", "0.1.0")
    facts = {
        "pid": 7,
        "parent_pid": 1,
        "rank": None,
        "host": "h",
        "python": "3.11",
        "executable": "p",
        "argv": ["t.py"],
    }
    data = MAGIC + block(BlockKind.FACTS, json.dumps(facts | {"time_ns": WALL, "clock_ns": 0}).encode())
    (folder / "journal" / f"{WALL}-0-7.journal").write_bytes(data)
    return folder
