"""The functions that probes call: compiled, or in Python where nothing is, which takes about five times as long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pyprobes import Probes

    IS_COMPILED: bool
else:
    try:
        from .._native import Probes

        IS_COMPILED = True
    except ImportError:
        from .pyprobes import Probes

        IS_COMPILED = False

__all__ = ["IS_COMPILED", "Probes"]
