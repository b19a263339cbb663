"""The recorded values of a step: what a branch decided, what a hook was given, what variables held."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .recorded_flow import Recording
from .span_blocks import SpanBlocks
from .turn_runs import TurnRuns
from .walk import Visit

_BLOCK = 1 << 12
"""Numbers of spans whose values are read at once."""
_SHOWN = {
    "callback": "callback", "position": "position", "hook": "hook", "logs_before": "logs_before",
    "logs_after": "logs", "changed": "changed",
}  # fmt: skip
"""What is shown of a hook, by the name that its span's facts have."""
_TAKEN = frozenset(["taken", *_SHOWN.values()])
"""Names that a step's own values have; a variable of that name is shown under another."""

Line = tuple[str, str, int]
"""A file, a function in it by its qualified name, and a line."""


class Values:
    """The values of the steps of one recording."""

    def __init__(self, recording: Recording, stretches: TurnRuns, spans: SpanBlocks) -> None:
        self._recording = recording
        self._stretches = stretches
        self._spans = spans
        sites = recording.rows("sites", "site, file, function, line", "kind = 'values'").to_pylist()
        self._lines: dict[int, Line] = {row["site"]: (row["file"], row["function"], row["line"]) for row in sites}
        self._places = frozenset(self._lines.values())
        self._block = lru_cache(maxsize=64)(self._read)

    def of(self, visit: Visit, stretch: int, turn: int, place: int, is_first: bool) -> dict[str, Any]:
        """Those of the `place`-th visit of a turn; `is_first`: it is the first of its function's call."""
        values: dict[str, Any] = {}
        number = None if visit.span is None else self._stretches.number(stretch, turn, visit.span)
        if number is not None and visit.function is not None and visit.node is not None:
            graph = self._recording.program.graphs[visit.function]
            if is_first:
                values |= self._told(number, (graph.file, graph.name, graph.line), 0)
            here = (graph.file, graph.name, graph.nodes[visit.node].line)
            if here in self._places and here[2] != graph.line:
                values |= self._told(number, here, self._visits_before(visit, stretch, turn, place, number))
        facts = self._spans.facts(number) if number is not None else {}
        begins = visit.clock is not None and visit.clock == ("start", visit.span)
        if begins and facts.get("callback") is not None:
            values |= {shown: facts[name] for name, shown in _SHOWN.items() if name in facts}
        if visit.arm is not None:
            values["taken"] = visit.arm == 0
        return values

    def may_tell(self, visit: Visit) -> bool:
        """Whether variables may have been recorded at a visit."""
        if visit.function is None or visit.node is None:
            return False
        graph = self._recording.program.graphs[visit.function]
        lines = (graph.line, graph.nodes[visit.node].line)
        return any((graph.file, graph.name, line) in self._places for line in lines)

    def _told(self, span: int, line: Line, nth: int) -> dict[str, Any]:
        """What the `nth` visits of the line in the span recorded, by the names of the variables."""
        values: dict[str, Any] = {}
        for told in self._block(span // _BLOCK).get((span, line), {}).values():
            values |= told[nth] if nth < len(told) else {}
        return {f"{name} (variable)" if name in _TAKEN else name: value for name, value in values.items()}

    def _read(self, block: int) -> Mapping[tuple[int, Line], dict[int, list[dict[str, Any]]]]:
        """For each span of a block and each line: by site, the values of its records, in order."""
        found: dict[tuple[int, Line], dict[int, list[dict[str, Any]]]] = {}
        bounds = f"span >= {block * _BLOCK} AND span < {(block + 1) * _BLOCK}"
        for row in self._recording.rows("values", "span, site, key, value, text", bounds).to_pylist():
            line = self._lines.get(row["site"])
            if line is not None:
                told = found.setdefault((row["span"], line), {}).setdefault(row["site"], [{}])
                if row["key"] in told[-1]:  # a record tells each of its variables once
                    told.append({})
                told[-1][row["key"]] = row["text"] if row["value"] is None else row["value"]
        return found

    def _visits_before(self, visit: Visit, stretch: int, turn: int, place: int, span: int) -> int:
        """How often the same statement ran before in the same span."""

        def visits(of: int, at: int, until: int | None = None) -> int:
            same = [one for one in self._stretches.kinds[self._kind(of)].visits[:until] if one[:2] == visit[:2]]
            return sum(one.span is not None and self._stretches.number(of, at, one.span) == span for one in same)

        count = visits(stretch, turn, place)
        while True:
            begin, opens = self._stretches.span_of(stretch, 0), self._stretches.kinds[self._kind(stretch)].count
            if span >= begin:
                return count + sum(visits(stretch, one) for one in range((span - begin) // max(opens, 1), turn))
            # What was open before a stretch all of its turns see alike; only the first says so in other words.
            count += visits(stretch, 0) + (turn - 1) * visits(stretch, turn - 1) if turn else 0
            if stretch == 0:
                return count
            stretch -= 1
            turn = int(self._stretches.turns[stretch])

    def _kind(self, stretch: int) -> int:
        return int(self._stretches.kind[stretch])
