"""The hook that explains the time in callbacks."""

from __future__ import annotations

from .bound import Bound
from .figures import FitFigures, HookTime
from .spent import saves

MAINLY = 0.5
"""A callback's hook is named if it took this share of the hooks' time."""


def main_hook(figures: FitFigures, bound: Bound, bound_ns: float) -> HookTime | None:
    """The hook that took most of the time in callbacks, or in those that save checkpoints; None if no hook did.

    - `figures`: the figures of the fit.
    - `bound`: `CALLBACKS` or `CHECKPOINTS`; for any other there is none.
    - `bound_ns`: the time that counts to it.
    """
    if bound not in (Bound.CALLBACKS, Bound.CHECKPOINTS):
        return None
    hooks = [hook for hook in figures.hooks if saves(hook) == (bound is Bound.CHECKPOINTS)]
    hook = max(hooks, key=lambda hook: hook.self_ns)
    return hook if hook.self_ns >= MAINLY * bound_ns else None
