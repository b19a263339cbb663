"""Statements of the engine that only one of two fits came by, and branches that only one of them took.

Functions are matched by their qualified name and the name of their file, statements by their text: so two versions of
an engine can be compared, and of two engines what they share. A function of which less than half can be matched is
another function of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import PurePosixPath, PureWindowsPath

import pandas as pd

from .difference import Difference, Steps, Where

_SHARED = 0.5
"""From this share of the shorter function's statements on, two functions are versions of one."""
_GAPS = re.compile(r"(?<=[(\[{]) | (?=[)\]}])")
_LONGEST = 80
"""Characters of a statement that are shown."""


@dataclass(frozen=True)
class _Statement:
    """One statement: how often it ran, and as a branch how often its body was `entered` and `passed`."""

    file: str
    function: str
    line: int
    end_line: int
    source: str
    visits: int
    entered: int
    passed: int

    @property
    def text(self) -> str:
        """What it says, however it is broken into lines."""
        return _GAPS.sub("", " ".join(self.source.split()))

    @property
    def arms(self) -> tuple[bool, bool] | None:
        """Which ways it took, None where it is no branch, or not all are known."""
        return (self.entered > 0, self.passed > 0) if 0 < self.visits == self.entered + self.passed else None


Pair = tuple[_Statement, _Statement]


def line_differences(number: int, a: Steps, b: Steps, same_engine: bool, same_size: bool) -> Iterator[Difference]:
    """The differences between the steps of the pair of fits `number`.

    A trace has the functions that ran: one that the other's version of the engine does not have can be told from one
    that did not run only where both are of the `same_engine`. How often a statement ran counts where they are of the
    `same_size` too.
    """
    functions_a, functions_b = _functions(a.visits), _functions(b.visits)
    complete = a.complete, b.complete
    counted = same_engine and same_size and all(complete)
    for name in [*functions_a, *(name for name in functions_b if name not in functions_a)]:
        if name in functions_a and name in functions_b:
            pairs = _matched(functions_a[name], functions_b[name])
            yield from _in_function(number, pairs, complete, counted)
        elif same_engine:
            in_a = name in functions_a
            yield from _alone(number, functions_a[name] if in_a else functions_b[name], in_a, complete)


def _functions(visits: pd.DataFrame) -> dict[tuple[str, str], list[_Statement]]:
    functions: dict[tuple[str, str], list[_Statement]] = {}
    for row in visits.itertuples(index=False):
        statement = _Statement(*row)
        functions.setdefault((_name(statement.file), statement.function), []).append(statement)
    return functions


def _matched(a: Sequence[_Statement], b: Sequence[_Statement]) -> list[Pair]:
    texts_a, texts_b = ([statement.text for statement in one] for one in (a, b))
    blocks = SequenceMatcher(None, texts_a, texts_b, autojunk=False).get_matching_blocks()
    pairs = [(a[block.a + place], b[block.b + place]) for block in blocks for place in range(block.size)]
    return pairs if len(pairs) >= _SHARED * min(len(a), len(b)) else []


def _alone(
    number: int, statements: Sequence[_Statement], in_a: bool, complete: tuple[bool, bool]
) -> Iterator[Difference]:
    """A function that runs in one alone."""
    first = statements[0]
    if complete[in_a] and any(statement.visits for statement in statements):
        message = f"{first.function} ({_name(first.file)}) runs in {'A' if in_a else 'B'} only"
        nothing = replace(first, visits=0, entered=0)
        where = _where((first, nothing) if in_a else (nothing, first))
        yield Difference("flow", "lost" if in_a else "added", number, message, where=where)


def _in_function(number: int, pairs: list[Pair], complete: tuple[bool, bool], counted: bool) -> Iterator[Difference]:
    """The differences in one function that both have, what belongs together told at once."""
    ran_a, ran_b = (any(pair[side].visits for pair in pairs) for side in (0, 1))
    if ran_a != ran_b:
        yield from _alone(number, [pair[0 if ran_a else 1] for pair in pairs], ran_a, complete)
        return
    told = False
    for kind, group in groupby(pairs, lambda pair: _kind(pair, complete)):
        run = list(group)
        if kind == "branch":
            for pair in run:
                yield Difference("flow", kind, number, _branch(pair), where=_where(pair))
        elif kind and not told:  # what a branch leads to is told with it
            message = f"{_place(run)}: {_quoted(run[0][0])} runs in {'A' if kind == 'lost' else 'B'} only"
            yield Difference("flow", kind, number, message, where=_where(run[0]))
        told = kind == "branch"
    more_or_less = [pair for pair in pairs if not _kind(pair, complete) and pair[0].visits != pair[1].visits]
    if counted and more_or_less:
        a, b = more_or_less[0]
        others = f" (and {len(more_or_less) - 1} more statements)" if len(more_or_less) > 1 else ""
        message = f"{_quoted(a)} runs {a.visits:,} times in A, {b.visits:,} in B{others}"
        yield Difference("flow", "count", number, f"{_place([(a, b)])}: {message}", where=_where((a, b)))


def _kind(pair: Pair, complete: tuple[bool, bool]) -> str:
    a, b = pair
    if a.visits and not b.visits:
        return "lost" if complete[1] else ""
    if b.visits and not a.visits:
        return "added" if complete[0] else ""
    return "branch" if a.arms != b.arms and a.arms is not None and b.arms is not None else ""


def _branch(pair: Pair) -> str:
    a, b = (f"{statement.entered:,} of {statement.visits:,}" for statement in pair)
    return f"{_place([pair])}: {_quoted(pair[0])} is entered {a} times in A, {b} in B"


def _place(run: list[Pair]) -> str:
    """The function, the file and the lines of statements that follow each other; those in B where they are others."""
    (first_a, first_b), (last_a, last_b) = run[0], run[-1]
    line_a, line_b = (_lines(*ends) for ends in ((first_a, last_a), (first_b, last_b)))
    where = line_a if line_a == line_b else f"{line_a} ({line_b} in B)"
    return f"{first_a.function}, {_name(first_a.file)}:{where}"


def _lines(first: _Statement, last: _Statement) -> str:
    return str(first.line) if first is last else f"{first.line}-{last.end_line}"


def _quoted(statement: _Statement) -> str:
    text = statement.text
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}`"


def _where(pair: Pair) -> Where:
    a, b = pair
    counts = (a.visits, b.visits, a.entered, b.entered)
    return Where(a.function, a.file, a.line, b.line, *counts, a.source.split("\n")[0].strip())


def _name(file: str) -> str:
    return (PureWindowsPath if "\\" in file else PurePosixPath)(file).name
