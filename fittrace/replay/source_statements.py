"""The statements of the functions that recorded, in the order of the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .recorded_flow import RecordedFlow

StatementNode = tuple[int, int]
"""The number of a function, and a statement's node in its graph."""


@dataclass(frozen=True)
class SourceStatement:
    """A statement of the source."""

    function: int
    "The number of its function."
    file: str
    name: str
    "The qualified name of its function."
    line: int
    "The first line; of a compound statement that of its header, as `end_line` too."
    end_line: int
    source: str
    "The text of these lines."
    nodes: Sequence[StatementNode]
    "Its nodes in the graph. Several statements in the same lines count as one."


def source_statements(recording: RecordedFlow) -> Iterator[SourceStatement]:
    """The statements of each function, by line."""
    for function, graph in enumerate(recording.program.graphs):
        text = recording.sources.get(graph.file, ())
        nodes_at: dict[tuple[int, int], list[StatementNode]] = {}
        for number, node in enumerate(graph.nodes):
            if node.line:
                nodes_at.setdefault((node.line, node.end_line), []).append((function, number))
        for (line, end_line), nodes in sorted(nodes_at.items()):
            source = "\n".join(text[line - 1 : end_line])
            yield SourceStatement(function, graph.file, graph.name, line, end_line, source, nodes)
