"""Which spans are sent at which level. Live spans and exports ask here; `sent_batches` chooses among the batches."""

from __future__ import annotations

LEVELS: dict[str, str] = {
    "fit": "calls of `fit`, `evaluate` and `predict`",
    "epoch": "also epochs and validation",
    "batch": "also batches",
    "hooks": "also hooks, of all callbacks together and of each",
    "all": "every span that fittrace records",
}
"""The levels, from few spans to all, with the spans that each sends."""

DEFAULT_LEVEL = "batch"
"""The level of a program that does not choose one."""

_RANKS = {level: rank for rank, level in enumerate(LEVELS)}
_LEAST_RANKS = {"epoch": 1, "validation": 1, "batch": 2, "hooks": 3}
"""The rank of the lowest level at which the spans of a phase are sent. For all other phases it is the highest."""


def is_sent(level: str, phase: str, begins_fit: bool) -> bool:
    """Whether a span is sent.

    - `level`: one of `LEVELS`.
    - `phase`: the phase of the span.
    - `begins_fit`: whether the span is the root of a fit. It is sent at every level.

    >>> [level for level in LEVELS if is_sent(level, "batch", begins_fit=False)]
    ['batch', 'hooks', 'all']
    """
    return begins_fit or _RANKS[level] >= _LEAST_RANKS.get(phase, 4)
