"""Where calls and phases begin among the steps of a fit."""

from __future__ import annotations

from collections.abc import Sequence

from .flow_graph import FlowNode
from .timeline import Timeline


def enters_function(timeline: Timeline, index: int) -> bool:
    """Whether a step is the first of its call."""
    visit = timeline.visit(index)
    before = timeline.before(index, visit.depth)
    if before is None:
        return True
    previous = timeline.visit(before)
    if previous.depth < visit.depth or previous.function != visit.function:
        return True
    if visit.function is None or visit.node is None or previous.node is None:
        return False
    # Both steps are of the same function. It was called again if control cannot go from the one to the other, but can
    # come to the other from the function's beginning.
    nodes = timeline.recording.program.graphs[visit.function].nodes
    return visit.node not in _statements_after(nodes, previous.node) and visit.node in _statements_after(nodes, 0)


def opens_phase(timeline: Timeline, index: int) -> bool:
    """Whether a step is the first of its phase."""
    return index == 0 or timeline.visit(index - 1).phase != timeline.visit(index).phase


def _statements_after(nodes: Sequence[FlowNode], start: int) -> set[int]:
    """The statements that may follow a node directly, with only records between them."""
    found: set[int] = set()
    seen = {start}
    pending = [*nodes[start].next, *nodes[start].raises]
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        if nodes[node].line:
            found.add(node)
        else:
            pending += [*nodes[node].next, *nodes[node].raises]
    return found
