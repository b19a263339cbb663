"""The control-flow graph of one function, and the way that control took through it between two records.

If more than one way fits, or none, there is no answer: a way is never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

END = 1
"""The node where a function is left."""

ITERATION, ENTRY = "*", "!"
"""Stand in `FlowNode.calls` for names: whatever a loop iterates over, and any function that records."""

Way = tuple[int, ...]
"""The nodes that control came through, in order."""


@dataclass(frozen=True)
class FlowNode:
    """A statement of the source, or a record."""

    line: int
    "The statement's first line; 0 for a record, and for a statement at which no debugger stops."
    end_line: int
    "Its last line; of a compound statement the last line of its header."
    site: int | None
    "The site of a record; None for a statement."
    calls: Sequence[str]
    "The functions that the statement calls, by the last part of their names."
    next: Sequence[int]
    "The nodes that may follow."
    raises: Sequence[int]
    "The nodes that may follow if an exception is raised here."
    again: bool
    "Whether the statement raises a caught exception again."


@dataclass(frozen=True)
class FlowGraph:
    """The control-flow graph of a function."""

    name: str
    "The qualified name of the function."
    file: str
    line: int
    "The line of its definition."
    nodes: Sequence[FlowNode]
    "The first is where the function is entered, the second, `END`, where it is left."
    _ways: dict[int, dict[int, Way | None]] = field(default_factory=dict, repr=False, compare=False)

    def way(self, begin: int, end: int) -> Way | None:
        """The nodes between `begin` and `end`. None unless exactly one way leads there without another record."""
        return self._reach(begin).get(end)

    def call(self, begin: int, name: str, iterates: bool) -> tuple[int, Way] | None:
        """The statement from `begin` on that calls a function, and the way to it. None if it is not certain.

        The first of these that there is: the statement that calls the name; the one that is known to call a function
        that records; the one that calls anything.

        - `name`: the last part of the function's name.
        - `iterates`: whether a loop that iterates over the function counts as a call.
        """
        ways = self._reach(begin)
        # A statement that has called one function may call another one.
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
        """The nodes from `begin` to the statement in `line` that raised an exception. None if it is not certain.

        `handler` is the node to which the exception led.
        """
        ways = {begin: (), **self._reach(begin)}
        raising = [node for node in ways if handler in self.nodes[node].raises]
        in_line = [node for node in raising if self.nodes[node].line <= line <= self.nodes[node].end_line]
        found = [node for node in raising if self.nodes[node].again and self._has_no_statement(ways[node])] or in_line
        found = found or [node for node in raising if self.nodes[node].again]
        if len(found) > 1:
            # Of nested statements it is the innermost.
            smallest = min(self.nodes[node].end_line - self.nodes[node].line for node in found)
            found = [node for node in found if self.nodes[node].end_line - self.nodes[node].line == smallest]
        way = ways[found[0]] if len(found) == 1 else None
        return way if way is None or found[0] == begin else (*way, found[0])

    def _has_no_statement(self, way: Way | None) -> bool:
        return way is not None and not any(self.nodes[node].line for node in way)

    def _reach(self, begin: int) -> dict[int, Way | None]:
        """The nodes that control may reach from `begin` without another record, each with the way to it.

        The way is None if there is more than one.
        """
        if begin not in self._ways:
            ways: dict[int, Way | None] = {}
            pending: list[tuple[int, Way]] = [(node, ()) for node in reversed(self.nodes[begin].next)]
            while pending:
                node, way = pending.pop()
                if node in ways:
                    ways[node] = None
                    self._forget_ways_through(node, ways)
                    continue
                ways[node] = way
                # A record ends the search: the next question begins at it.
                if self.nodes[node].site is None and node != END:
                    pending.extend((following, (*way, node)) for following in reversed(self.nodes[node].next))
            self._ways[begin] = ways
        return self._ways[begin]

    def _forget_ways_through(self, node: int, ways: dict[int, Way | None]) -> None:
        """Two ways lead to a node, so two ways lead to all nodes behind it."""
        pending = [node]
        while pending:
            current = pending.pop()
            if self.nodes[current].site is None:
                for following in self.nodes[current].next:
                    if ways.get(following) is not None:
                        ways[following] = None
                        pending.append(following)
