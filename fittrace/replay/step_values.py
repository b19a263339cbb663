"""The recorded values of a step: which arm a branch took, what a hook was given, what variables were assigned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..schema.memory_keys import PREFIX
from .timeline import StepLocation, Timeline
from .walk import Visit

_BLOCK = 1 << 12
"""How many spans' values are read at once."""

_SHOWN_OF_HOOK = {
    "callback": "callback", "position": "position", "hook": "hook", "logs_before": "logs_before",
    "logs_after": "logs", "changed": "changed",
}  # fmt: skip
"""The facts of a hook's span that are values of its step, each with the name of the value."""

_RESERVED = frozenset(["taken", *_SHOWN_OF_HOOK.values()])
"""The names of values that are no variables. A variable of such a name gets another."""

SourceLine = tuple[str, str, int]
"""A file, the qualified name of a function in it, and a line."""


class StepValues:
    """The values of the steps of a timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._recording = timeline.recording
        self._runs = timeline.runs
        sites = self._recording.rows("sites", "site, file, function, line", "kind = 'values'").to_pylist()
        self._lines: dict[int, SourceLine] = {row["site"]: (row["file"], row["function"], row["line"]) for row in sites}
        self._recorded_lines = frozenset(self._lines.values())
        self._block = lru_cache(maxsize=64)(self._read_block)

    def of(self, location: StepLocation, begins_call: bool) -> dict[str, Any]:
        """The values of a step, by name. `begins_call`: the step is the first of a call, which has the arguments."""
        visit = location.visit
        values = self.variables(location, begins_call)
        span = self._timeline.span_of(location)
        facts = self._timeline.spans.facts(span) if span is not None else {}
        begins_span = visit.clock is not None and visit.clock == ("start", visit.span)
        if begins_span and facts.get("callback") is not None:
            values |= {shown: facts[name] for name, shown in _SHOWN_OF_HOOK.items() if name in facts}
        if visit.arm is not None:
            values["taken"] = visit.arm == 0
        return values

    def variables(self, location: StepLocation, begins_call: bool) -> dict[str, Any]:
        """Those of the values that are variables: the arguments of the call, and what the statement assigned."""
        visit = location.visit
        values: dict[str, Any] = {}
        span = self._timeline.span_of(location)
        if span is not None and visit.function is not None and visit.node is not None:
            graph = self._recording.program.graphs[visit.function]
            if begins_call:
                values |= self._variables(span, (graph.file, graph.name, graph.line), 0)
            line = (graph.file, graph.name, graph.nodes[visit.node].line)
            if line in self._recorded_lines and line[2] != graph.line:
                values |= self._variables(span, line, self._visits_before(location, span))
        return values

    def may_have_variables(self, visit: Visit) -> bool:
        """Whether variables may have been recorded at a visit."""
        return self.may_have_arguments(visit) or self.may_assign(visit)

    def may_have_arguments(self, visit: Visit) -> bool:
        """Whether arguments of a visit's function were recorded. The first step of a call has them."""
        if visit.function is None:
            return False
        graph = self._recording.program.graphs[visit.function]
        return (graph.file, graph.name, graph.line) in self._recorded_lines

    def may_assign(self, visit: Visit) -> bool:
        """Whether variables that a visit assigned may have been recorded."""
        if visit.function is None or visit.node is None:
            return False
        graph = self._recording.program.graphs[visit.function]
        return (graph.file, graph.name, graph.nodes[visit.node].line) in self._recorded_lines

    def _variables(self, span: int, line: SourceLine, nth: int) -> dict[str, Any]:
        """The variables recorded at the `nth` visit of a line in a span, from 0, by name."""
        values: dict[str, Any] = {}
        for records in self._block(span // _BLOCK).get((span, line), {}).values():
            values |= records[nth] if nth < len(records) else {}
        return {f"{name} (variable)" if name in _RESERVED else name: value for name, value in values.items()}

    def _read_block(self, block: int) -> Mapping[tuple[int, SourceLine], dict[int, list[dict[str, Any]]]]:
        """For each span of a block and each line: by site, the variables of each of its records, in order."""
        found: dict[tuple[int, SourceLine], dict[int, list[dict[str, Any]]]] = {}
        bounds = f"span >= {block * _BLOCK} AND span < {(block + 1) * _BLOCK}"
        for row in self._recording.rows("values", "span, site, key, value, text", bounds).to_pylist():
            line = self._lines.get(row["site"])
            if line is not None and not row["key"].startswith(PREFIX):
                records = found.setdefault((row["span"], line), {}).setdefault(row["site"], [{}])
                # A record has each variable once. So a variable that comes again begins the next record.
                if row["key"] in records[-1]:
                    records.append({})
                records[-1][row["key"]] = row["text"] if row["value"] is None else row["value"]
        return found

    def _visits_before(self, location: StepLocation, span: int) -> int:
        """How often the step's statement ran before in the same span."""
        statement = location.visit[:2]

        def visits(run: int, turn: int, end: int | None = None) -> int:
            same = [visit for visit in self._runs.kind_of(run).visits[:end] if visit[:2] == statement]
            spans = [self._runs.span_number(run, turn, visit.span) for visit in same if visit.span is not None]
            return spans.count(span)

        run, turn = location.run, location.turn
        count = visits(run, turn, location.offset)
        while True:
            first, per_turn = self._runs.first_span_of(run, 0), self._runs.kind_of(run).span_count
            if span >= first:
                # The span was opened in this run, in the turn of this number.
                opened_in = (span - first) // max(per_turn, 1)
                return count + sum(visits(run, number) for number in range(opened_in, turn))
            # The span was open before the run, so each turn has the same visits in it. But the first turn names the
            # span by another number than the other turns. So it is counted by itself.
            count += visits(run, 0) + (turn - 1) * visits(run, turn - 1) if turn else 0
            if run == 0:
                return count
            run -= 1
            turn = self._runs.turn_count(run)
