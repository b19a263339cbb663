"""The functions that probes call: compiled, or in Python where nothing is, which takes about five times as long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..compiled import native

if TYPE_CHECKING or native is None:
    from .pyprobes import Probes
else:
    Probes = native.Probes

IS_COMPILED = native is not None
"""Whether the compiled probes record. The journal says it too."""

__all__ = ["IS_COMPILED", "Probes"]
