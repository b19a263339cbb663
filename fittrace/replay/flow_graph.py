"""The graph of one function, and the way that control took through it between two records.

A way is verified or it is not given: where two would fit, or none, there is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

END = 1
"""The node where a function is left."""

ITERATION, ENTRY = "*", "!"
"""Among the names of what a statement calls: whatever a loop iterates over; and that by the engine's table it calls a
function that records."""

Way = tuple[int, ...]
"""The nodes that control came by, in order."""


@dataclass(frozen=True)
class FlowNode:
    """A statement of the source, or the record of a `site` (None for a statement).

    `line` to `end_line` are a statement's lines; of a compound one those of its header, and 0 where no debugger stops.
    `calls` are the last names of what it calls, `next` the nodes that may follow, `raises` those that may when
    something is raised here, `again` says that a caught exception is raised once more.
    """

    line: int
    end_line: int
    site: int | None
    calls: Sequence[str]
    next: Sequence[int]
    raises: Sequence[int]
    again: bool


@dataclass(frozen=True)
class FlowGraph:
    """The nodes of the function `name` (qualified) in `file`; the first is where it is entered, the second its end."""

    name: str
    file: str
    line: int
    nodes: Sequence[FlowNode]
    _ways: dict[int, dict[int, Way | None]] = field(default_factory=dict, repr=False, compare=False)

    def way(self, begin: int, end: int) -> Way | None:
        """What lies between the nodes `begin` and `end`, if one way alone leads there past no other record."""
        return self._reach(begin).get(end)

    def call(self, begin: int, name: str, iterates: bool) -> tuple[int, Way] | None:
        """The statement, from `begin` on, that calls a function of that last name, and the way to it.

        It is the one that calls the name; where none does, the one that is known to call a function that records, then
        the one that calls anything, or, where the function `iterates`, loops over anything.
        """
        ways = self._reach(begin)
        if self.nodes[begin].site is None and begin > END:
            ways = {begin: (), **ways}
        named = [node for node in ways if name in self.nodes[node].calls]
        if begin in named:
            return begin, ()
        found = named or [node for node in ways if ENTRY in self.nodes[node].calls]
        found = found or [node for node in ways if iterates or set(self.nodes[node].calls) - {ITERATION}]
        found = [node for node in found if self.nodes[node].calls]
        way = ways[found[0]] if len(found) == 1 else None
        return None if way is None else (found[0], (*way, found[0]) if found[0] != begin else way)

    def exception(self, begin: int, handler: int, line: int) -> Way | None:
        """What lies from `begin` on to the statement in `line` from which an exception came to the node `handler`."""
        ways = {begin: (), **self._reach(begin)}
        able = [node for node in ways if handler in self.nodes[node].raises]
        here = [node for node in able if self.nodes[node].line <= line <= self.nodes[node].end_line]
        found = [node for node in able if self.nodes[node].again and self._is_silent(ways[node])] or here
        found = found or [node for node in able if self.nodes[node].again]
        if len(found) > 1:
            smallest = min(self.nodes[node].end_line - self.nodes[node].line for node in found)
            found = [node for node in found if self.nodes[node].end_line - self.nodes[node].line == smallest]
        way = ways[found[0]] if len(found) == 1 else None
        return way if way is None or found[0] == begin else (*way, found[0])

    def _is_silent(self, way: Way | None) -> bool:
        return way is not None and not any(self.nodes[node].line for node in way)

    def _reach(self, begin: int) -> dict[int, Way | None]:
        """The nodes to which control may come from `begin` past no other record, with the way to each; None where
        there is more than one."""
        if begin not in self._ways:
            ways: dict[int, Way | None] = {}
            pending: list[tuple[int, Way]] = [(node, ()) for node in reversed(self.nodes[begin].next)]
            while pending:
                node, way = pending.pop()
                if node in ways:
                    ways[node] = None
                    self._forget(node, ways)
                    continue
                ways[node] = way
                if self.nodes[node].site is None and node != END:
                    pending.extend((following, (*way, node)) for following in reversed(self.nodes[node].next))
            self._ways[begin] = ways
        return self._ways[begin]

    def _forget(self, node: int, ways: dict[int, Way | None]) -> None:
        """What lies behind a node that two ways lead to has two ways itself."""
        pending = [node]
        while pending:
            one = pending.pop()
            if self.nodes[one].site is None:
                for following in self.nodes[one].next:
                    if ways.get(following) is not None:
                        ways[following] = None
                        pending.append(following)
