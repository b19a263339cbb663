"""What differs between the two runs of a page."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.diff import Comparison, Difference, PhaseTime


@dataclass(frozen=True)
class Differences:
    """All that differs between two runs, and the times of both."""

    found: list[Difference]
    times: list[PhaseTime]
    time_names: list[str]
    "What each of `times` is the time of."


def differences_of(comparison: Comparison) -> Differences:
    """What `comparison` found."""
    times = list(comparison.times)
    return Differences(list(comparison.differences), times, [time.name for time in times])
