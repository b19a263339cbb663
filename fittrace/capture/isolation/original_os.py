"""The system calls as Python has them, also where a program has replaced functions of `os` (pyfakefs does)."""

from __future__ import annotations

import os
from typing import Any

try:
    import fcntl

    HAS_LOCKS = True
except ImportError:  # not on this system; a reader then takes every journal for finished
    HAS_LOCKS = False


class System:
    """The system calls that capture makes, as they were when this module was imported.

    They are attributes of a class: pyfakefs replaces what is an attribute of a module.
    """

    page_size: int = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    open = staticmethod(os.open)
    close = staticmethod(os.close)
    fstat = staticmethod(os.fstat)
    stat = staticmethod(os.stat)
    mkdir = staticmethod(os.mkdir)
    unlink = staticmethod(os.unlink)
    ftruncate = staticmethod(os.ftruncate)
    seek = staticmethod(os.lseek)
    read = staticmethod(os.read)
    write = staticmethod(os.write)
    write_at: Any = staticmethod(os.pwrite) if hasattr(os, "pwrite") else None
    if HAS_LOCKS:
        control = staticmethod(fcntl.fcntl)
        lock = staticmethod(fcntl.flock)
        sysconf = staticmethod(os.sysconf)
