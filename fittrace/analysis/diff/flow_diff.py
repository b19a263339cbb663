"""Differences in control flow: phases and statements of the engine that only one of two fits ran."""

from __future__ import annotations

from collections.abc import Iterator

from ..contract import Phases, callbacks, phases
from .comparison_data import ComparedFit, Difference
from .line_diff import line_differences


def flow_differences(number: int, a: ComparedFit, b: ComparedFit) -> Iterator[Difference]:
    """The differences in control flow of the pair of fits `number`.

    If one fit lacks a phase, the phases inside it are not reported again.
    """
    paths_a, paths_b = (_paths(phases(fit.spans[fit.spans["thread"] == fit.thread])) for fit in (a, b))
    for paths, other, lacks, kind in ((paths_a, paths_b, "B", "lost"), (paths_b, paths_a, "A", "added")):
        for path in paths:
            if path not in other and (path[:-1] in other or len(path) == 1):
                yield Difference("flow", kind, number, f"phase {' > '.join(path)} is not in {lacks}")
    steps_a, steps_b = a.steps(), b.steps()
    if steps_a is not None and steps_b is not None:
        same_engine, same_size = _engine(a) == _engine(b), _size(a) == _size(b)
        yield from line_differences(number, steps_a, steps_b, same_engine, same_size)


def _paths(tree: Phases, outer: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of each phase in a tree: the phases around it, outermost first, and itself."""
    paths = []
    for phase, children in tree.items():
        paths += [(*outer, phase), *_paths(children, (*outer, phase))]
    return paths


def _engine(fit: ComparedFit) -> tuple[str, str]:
    return str(fit.row["engine"]), str(fit.row["engine_version"])


def _size(fit: ComparedFit) -> tuple[int, dict[str, int], list[str]]:
    """The counts of epochs and batches, and the callbacks. With the same size, most lines run equally often."""
    stages = fit.batches["stage"].astype(str).value_counts()
    return int(fit.row["epochs"]), {str(stage): int(count) for stage, count in stages.items()}, callbacks(fit.hooks)
