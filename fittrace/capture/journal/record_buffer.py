"""The buffer of a thread's records, and their packing: the compiled ones, or else those in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..compiled import native

if TYPE_CHECKING or native is None:
    from .pybuffer import Buffer, packed
else:
    Buffer, packed = native.Buffer, native.packed

__all__ = ["Buffer", "packed"]
