"""The probes' functions, their buffer and its packing: compiled where that was possible, else in Python, which takes
some five times as long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pybuffer import Buffer, packed
    from .pyprobes import Probes
else:
    try:
        from .._native import Buffer, Probes, packed
    except ImportError:
        from .pybuffer import Buffer, packed
        from .pyprobes import Probes

__all__ = ["Buffer", "Probes", "packed"]
