"""The verdict on one fit: what it was bound by, in a sentence, and the next step."""

from __future__ import annotations

from dataclasses import dataclass

from .bound import Bound
from .figures import FitFigures
from .main_hook import main_hook
from .next_steps import next_step
from .sentence import clear_sentence, short_sentence, unclear_sentence
from .spent import time_spent

STANDS_OUT = 0.3
"""A fit is bound by what has at least this share of it; if nothing has, nothing stands out."""
LEAST_NS = 20_000_000
"""A fit that takes less is too short to tell."""


@dataclass(frozen=True)
class Verdict:
    """What a fit was bound by.

    - `bound`: one of a closed set.
    - `share`: the share of the fit that went to it, from 0 to 1; of the largest part, if the bound is `UNCLEAR`.
    - `sentence`: where the time went, in one sentence.
    - `next_step`: what to do about it, or what would settle it; None if there is nothing to say.
    """

    bound: Bound
    share: float
    sentence: str
    next_step: str | None


def verdict(figures: FitFigures) -> Verdict:
    """The verdict on the fit that has these figures."""
    spent = time_spent(figures)
    whole = sum(spent.values())
    if whole <= 0:
        return Verdict(Bound.SHORT, 0.0, short_sentence(figures, 0), None)
    largest = max(spent, key=lambda bound: spent[bound])
    share = spent[largest] / whole
    if whole < LEAST_NS:
        return Verdict(Bound.SHORT, share, short_sentence(figures, whole), next_step(Bound.SHORT, figures, None))
    if share < STANDS_OUT:
        return Verdict(Bound.UNCLEAR, share, unclear_sentence(figures, spent, largest), None)
    step = next_step(largest, figures, main_hook(figures, largest, spent[largest]))
    return Verdict(largest, share, clear_sentence(figures, spent, largest), step)
