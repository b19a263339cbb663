"""The buffer that a thread's records are appended to, and their packing: compiled, or in Python where nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pybuffer import Buffer, packed
else:
    try:
        from .._native import Buffer, packed
    except ImportError:
        from .pybuffer import Buffer, packed

__all__ = ["Buffer", "packed"]
