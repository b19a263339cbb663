"""What differs in the ways that two fits took: phases, and statements of the engine, that only one of them came by."""

from __future__ import annotations

from collections.abc import Iterator

from ..contract import Phases, callbacks, phases
from .difference import ComparedFit, Difference
from .line_diff import line_differences


def flow_differences(number: int, a: ComparedFit, b: ComparedFit) -> Iterator[Difference]:
    """The differences in flow of the pair of fits `number`; of a phase that one lacks, what lies in it is not told."""
    paths_a, paths_b = (_paths(phases(fit.spans[fit.spans["thread"] == fit.thread])) for fit in (a, b))
    for one, other, lacks, kind in ((paths_a, paths_b, "B", "lost"), (paths_b, paths_a, "A", "added")):
        for path in one:
            if path not in other and (path[:-1] in other or len(path) == 1):
                yield Difference("flow", kind, number, f"phase {' > '.join(path)} is not in {lacks}")
    steps_a, steps_b = a.steps(), b.steps()
    if steps_a is not None and steps_b is not None:
        same_engine, same_size = _engine(a) == _engine(b), _size(a) == _size(b)
        yield from line_differences(number, steps_a, steps_b, same_engine, same_size)


def _paths(found: Phases, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    result = []
    for phase, inside in found.items():
        result += [(*above, phase), *_paths(inside, (*above, phase))]
    return result


def _engine(fit: ComparedFit) -> tuple[str, str]:
    return str(fit.row["engine"]), str(fit.row["engine_version"])


def _size(fit: ComparedFit) -> tuple[int, dict[str, int], list[str]]:
    """How many epochs and batches there were, and for which callbacks: it is what most lines are run again for."""
    stages = fit.batches["stage"].astype(str).value_counts()
    return int(fit.row["epochs"]), {str(stage): int(count) for stage, count in stages.items()}, callbacks(fit.hooks)
