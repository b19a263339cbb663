"""What differs in the ways that two fits took: phases that only one of them has."""

from __future__ import annotations

from collections.abc import Iterator

from ..contract import Phases, phases
from .model import Difference, Fit


def flow_differences(number: int, a: Fit, b: Fit) -> Iterator[Difference]:
    """The differences in flow of the pair of fits `number`; of a phase that one lacks, what lies in it is not told."""
    paths_a, paths_b = (_paths(phases(fit.spans[fit.spans["thread"] == fit.thread])) for fit in (a, b))
    for one, other, lacks, kind in ((paths_a, paths_b, "B", "lost"), (paths_b, paths_a, "A", "added")):
        for path in one:
            if path not in other and (path[:-1] in other or len(path) == 1):
                yield Difference("flow", kind, number, f"phase {' > '.join(path)} is not in {lacks}")


def _paths(found: Phases, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    result = []
    for phase, inside in found.items():
        result += [(*above, phase), *_paths(inside, (*above, phase))]
    return result
