"""The source of the engine as data of a page."""

from __future__ import annotations

from typing import Any

import pytest

import fittrace
from fittrace.replay.statement_visits import visits_of
from fittrace.report.model.source import engine_source
from fittrace.report.model.source_tokens import token_lines


@pytest.fixture(scope="module")
def trace() -> Any:
    return fittrace.open("traces/reference-keras-2.2")


@pytest.fixture(scope="module")
def replay(trace: Any) -> Any:
    return trace.replay()


def test_each_statement_has_its_visits_time_and_branches(trace: Any, replay: Any) -> None:
    functions = engine_source(replay, redacted=False)[0].functions
    shown = {(f.name, s.line): (s.visits, s.duration_ns) for f in functions for s in f.statements}
    lines = trace.lines()
    times = [None if missing else int(ns) for ns, missing in zip(lines.duration_ns, lines.duration_ns.isna())]
    assert shown == {
        (name, line): (visits, ns) for name, line, visits, ns in zip(lines.function, lines.line, lines.visits, times)
    }
    branches = {(f.name, s.line): (s.entered, s.passed) for f in functions for s in f.statements}
    counted = visits_of(replay)
    for name, line, entered, passed in zip(counted.function, counted.line, counted.entered, counted.passed):
        assert branches.get((name, line), (0, 0)) == (entered, passed)


def test_the_lines_are_those_of_the_source_and_the_slowest_function_comes_first(replay: Any) -> None:
    source, numbers = engine_source(replay, redacted=False)
    durations = [function.duration_ns for function in source.functions]
    assert durations == sorted(durations, reverse=True)
    for number, index in numbers.items():
        graph, function = replay.recording.program.graphs[number], source.functions[index]
        text = replay.recording.sources[graph.file]
        assert (function.name, function.first) == (graph.name, graph.line)
        code = ["".join(part for _, part in line) for line in function.lines]
        assert code == [line.rstrip() for line in text[graph.line - 1 :][: len(code)]]


def test_a_redacted_page_has_no_source(replay: Any) -> None:
    source, _ = engine_source(replay, redacted=True)
    assert not any(function.lines for function in source.functions)
    assert not any(function.file.startswith("/") for function in source.functions)
    assert source.limit == "The source was left out when the page was made."


def test_source_that_is_no_python_keeps_its_text() -> None:
    lines = token_lines(["\x1b[31m if \x00", "", "  \tx"])
    assert ["".join(code for _, code in line) for line in lines] == ["\\x1b[31m if \\x00", "", "        x"]
