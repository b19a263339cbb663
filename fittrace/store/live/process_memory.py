"""The memory of a process of a run while it runs, as Linux tells it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from ..journal.definitions import Definition
from ..locks import is_locked


def resident_bytes(journal: Path, facts: Definition) -> int | None:
    """The resident memory of the process that writes `journal`; None where the system does not say.

    - `journal`: only a running process holds its lock. Without this its number might be that of another process.
    - `facts`: the facts in the journal.
    """
    if facts.get("host") != socket.gethostname() or not is_locked(journal):
        return None
    try:
        pages = int(Path(f"/proc/{int(facts['pid'])}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError, KeyError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
