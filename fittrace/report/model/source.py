"""The source of the engine as one fit ran it: the functions, and for each statement its visits and its time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath, PureWindowsPath

from ...replay import RecordedFlow, Replay
from ...replay.branching_lines import branching_lines
from ...replay.line_profile import StatementTotal, statement_totals
from ...replay.source_statements import SourceStatement
from ...views.replay_steps import short_path
from .source_tokens import SourceLine, token_lines

MOST_LINES = 20_000
"""Lines of source in a page: some 400 kB of it. The engines' functions have a few thousand; callbacks may add many."""


@dataclass(frozen=True)
class Statement:
    """A statement that the fit may have run."""

    line: int
    end_line: int
    visits: int
    entered: int
    "After how many visits control went into the body of the branch or loop."
    passed: int
    "After how many it went past the body."
    duration_ns: int | None
    "The time of all visits, calls included. None: it is in that of a statement before it."
    together: int
    "How many statements share that time."


@dataclass(frozen=True)
class SourceFunction:
    """A function that ran."""

    name: str
    "The qualified name."
    file: str
    "Its file; of a page that is redacted the shortened path."
    short_file: str
    "The path below `site-packages`, or the last parts of it."
    first: int
    "The number of its first line."
    lines: list[SourceLine]
    "Its source. Empty if it is not in the page."
    duration_ns: int
    "The time of all its statements, calls included."
    statements: list[Statement]
    branching: list[tuple[int, list[int]]]
    "The lines of branches and loops, each with the lines of the loops around it."


@dataclass(frozen=True)
class EngineSource:
    """The functions that ran in a fit."""

    functions: list[SourceFunction]
    "The slowest first."
    limit: str | None
    "What the page leaves out, in a sentence."


def engine_source(replay: Replay, redacted: bool) -> tuple[EngineSource, dict[int, int]]:
    """The source of a fit, and the index in it of each function that ran, by the function's number in the recording.

    - `redacted`: leave out the text of the source, and shorten paths.
    """
    recording = replay.recording
    totals = [list(rows) for _, rows in groupby(statement_totals(replay), key=lambda row: row[0].function)]
    totals.sort(key=lambda rows: -_duration(rows))
    room = 0 if redacted else MOST_LINES
    functions = []
    for rows in totals:
        function = _function(recording, rows, room, redacted)
        room -= len(function.lines)
        functions.append(function)
    without = sum(not function.lines for function in functions)
    numbers = {rows[0][0].function: index for index, rows in enumerate(totals)}
    return EngineSource(functions, _limit(without, len(functions), redacted)), numbers


def _function(
    recording: RecordedFlow, rows: list[tuple[SourceStatement, StatementTotal]], room: int, redacted: bool
) -> SourceFunction:
    """The function that has these statements. Its source is left out if it has more than `room` lines."""
    number = rows[0][0].function
    graph = recording.program.graphs[number]
    last = max(graph.line, *(statement.end_line for statement, _ in rows))
    text = recording.sources.get(graph.file, ())
    lines = text[graph.line - 1 : last]
    short = _redacted_path(graph.file) if redacted else short_path(graph.file)
    # The last statement is inside the function's body, whereas the first line may be that of a decorator.
    branching = branching_lines("\n".join(text), rows[-1][0].line)
    return SourceFunction(
        name=graph.name,
        file=short if redacted else graph.file,
        short_file=short,
        first=graph.line,
        lines=token_lines(lines) if len(lines) <= room else [],
        duration_ns=_duration(rows),
        statements=[_statement(statement, total) for statement, total in rows],
        branching=[(line, list(loops)) for line, loops in branching],
    )


def _statement(statement: SourceStatement, total: StatementTotal) -> Statement:
    count = total.count
    return Statement(
        line=statement.line,
        end_line=statement.end_line,
        visits=count.visits,
        entered=count.entered,
        passed=count.passed,
        duration_ns=total.duration_ns,
        together=total.together,
    )


def _duration(rows: list[tuple[SourceStatement, StatementTotal]]) -> int:
    return sum(total.duration_ns or 0 for _, total in rows)


def _limit(without: int, functions: int, redacted: bool) -> str | None:
    if redacted:
        return "The source was left out when the page was made."
    if without:
        return f"The source of {without:,} of {functions:,} functions is not in the page."
    return None


def _redacted_path(file: str) -> str:
    """The path of an installed file below `site-packages`; of any other only its name.

    >>> _redacted_path("/usr/lib/python3/site-packages/keras/src/trainer.py"), _redacted_path("/home/ada/train.py")
    ('keras/src/trainer.py', 'train.py')
    """
    path = (PureWindowsPath if "\\" in file else PurePosixPath)(file)
    is_installed = not path.is_absolute() or {"site-packages", "dist-packages"} & set(path.parts)
    return short_path(file) if is_installed else path.name
