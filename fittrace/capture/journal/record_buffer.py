"""The buffer of a thread's records, and their packing: the compiled ones, or else those in Python."""

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
