"""Statements of the engine that only one of two fits ran, and branches that only one of them took.

Functions are matched by qualified name and file name, statements by their text. So two versions of an engine can be
compared, and the shared functions of two engines. If fewer than half of the statements match, the functions only share
their name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import PurePosixPath, PureWindowsPath

import pandas as pd

from .comparison_data import Difference, Steps, Where

_SHARED = 0.5
"""Two functions match if at least this share of the shorter one's statements does."""
_GAPS = re.compile(r"(?<=[(\[{]) | (?=[)\]}])")
"""Spaces just inside brackets: they remain after lines were joined, and say nothing."""
_LONGEST = 80
"""A message shows at most so many characters of a statement."""


@dataclass(frozen=True)
class _Statement:
    """One statement of the engine, a row of `visits_of`.

    - `file`, `function`: its source file and the qualified name of its function.
    - `line`, `end_line`: its first and its last line.
    - `source`: its text.
    - `visits`: how often it ran.
    - `entered`: how often its body was entered, for a branch.
    - `passed`: how often its body was skipped, for a branch.
    """

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
        """Its text on one line, the same for every way to break it into lines."""
        return _GAPS.sub("", " ".join(self.source.split()))

    @property
    def arms(self) -> tuple[bool, bool] | None:
        """Whether it entered and whether it skipped its body; None if it is no branch or some visits are unknown."""
        return (self.entered > 0, self.passed > 0) if 0 < self.visits == self.entered + self.passed else None


Pair = tuple[_Statement, _Statement]
"""The same statement in A and B."""


def line_differences(number: int, a: Steps, b: Steps, same_engine: bool, same_size: bool) -> Iterator[Difference]:
    """The differences between the steps of a pair of fits.

    - `number`: the number of the pair.
    - `a`: the steps of the first fit.
    - `b`: the steps of the second fit.
    - `same_engine`: whether both ran on the same version of the same engine. A trace only has the functions that ran.
      So only with the same engine a missing function means that it did not run; else it may not exist.
    - `same_size`: whether both have the same epochs, batches and callbacks. Only then are counts compared.
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
            yield from _unpaired(number, functions_a[name] if in_a else functions_b[name], in_a, complete)


def _functions(visits: pd.DataFrame) -> dict[tuple[str, str], list[_Statement]]:
    """The statements of each function, by file name and qualified name."""
    functions: dict[tuple[str, str], list[_Statement]] = {}
    for row in visits.itertuples(index=False):
        statement = _Statement(*row)
        functions.setdefault((_name(statement.file), statement.function), []).append(statement)
    return functions


def _matched(a: Sequence[_Statement], b: Sequence[_Statement]) -> list[Pair]:
    """The matching statements of a function in A and B; none if too few match."""
    texts_a, texts_b = ([statement.text for statement in statements] for statements in (a, b))
    blocks = SequenceMatcher(None, texts_a, texts_b, autojunk=False).get_matching_blocks()
    pairs = [(a[block.a + offset], b[block.b + offset]) for block in blocks for offset in range(block.size)]
    return pairs if len(pairs) >= _SHARED * min(len(a), len(b)) else []


def _unpaired(
    number: int, statements: Sequence[_Statement], in_a: bool, complete: tuple[bool, bool]
) -> Iterator[Difference]:
    """A difference for a function that runs in one fit only.

    - `number`: the number of the pair of fits.
    - `statements`: the function's statements in the fit in which it runs.
    - `in_a`: whether that is A.
    - `complete`: of A and B, whether all steps are known. If not, the function may have run in both.
    """
    first = statements[0]
    # `complete` is of (A, B). So `in_a` as an index selects the other fit, in which the function is missing.
    if complete[in_a] and any(statement.visits for statement in statements):
        message = f"{first.function} ({_name(first.file)}) runs in {'A' if in_a else 'B'} only"
        absent = replace(first, visits=0, entered=0)
        where = _where((first, absent) if in_a else (absent, first))
        yield Difference("flow", "lost" if in_a else "added", number, message, where=where)


def _in_function(number: int, pairs: list[Pair], complete: tuple[bool, bool], counted: bool) -> Iterator[Difference]:
    """The differences in a function that both fits have. Consecutive statements with one difference are one report.

    - `number`: the number of the pair of fits.
    - `pairs`: the function's matching statements.
    - `complete`: of A and B, whether all steps are known.
    - `counted`: whether counts are compared.
    """
    ran_a, ran_b = (any(pair[side].visits for pair in pairs) for side in (0, 1))
    if ran_a != ran_b:
        yield from _unpaired(number, [pair[0 if ran_a else 1] for pair in pairs], ran_a, complete)
        return
    follows_branch = False
    for kind, group in groupby(pairs, lambda pair: _kind(pair, complete)):
        run = list(group)
        if kind == "branch":
            for pair in run:
                yield Difference("flow", kind, number, _branch(pair), where=_where(pair))
        elif kind and not follows_branch:  # the body of a branch is reported with the branch
            message = f"{_location(run)}: {_quoted(run[0][0])} runs in {'A' if kind == 'lost' else 'B'} only"
            yield Difference("flow", kind, number, message, where=_where(run[0]))
        follows_branch = kind == "branch"
    differing = [pair for pair in pairs if not _kind(pair, complete) and pair[0].visits != pair[1].visits]
    if counted and differing:
        a, b = differing[0]
        others = f" (and {len(differing) - 1} more statements)" if len(differing) > 1 else ""
        message = f"{_quoted(a)} runs {a.visits:,} times in A, {b.visits:,} in B{others}"
        yield Difference("flow", "count", number, f"{_location([(a, b)])}: {message}", where=_where((a, b)))


def _kind(pair: Pair, complete: tuple[bool, bool]) -> str:
    """The kind of difference between two matching statements; an empty text if there is none."""
    a, b = pair
    if a.visits and not b.visits:
        return "lost" if complete[1] else ""
    if b.visits and not a.visits:
        return "added" if complete[0] else ""
    return "branch" if a.arms != b.arms and a.arms is not None and b.arms is not None else ""


def _branch(pair: Pair) -> str:
    a, b = (f"{statement.entered:,} of {statement.visits:,}" for statement in pair)
    return f"{_location([pair])}: {_quoted(pair[0])} is entered {a} times in A, {b} in B"


def _location(run: list[Pair]) -> str:
    """The function, the file and the lines of consecutive statements, with the lines in B if they differ."""
    (first_a, first_b), (last_a, last_b) = run[0], run[-1]
    lines_a, lines_b = (_lines(*ends) for ends in ((first_a, last_a), (first_b, last_b)))
    lines = lines_a if lines_a == lines_b else f"{lines_a} ({lines_b} in B)"
    return f"{first_a.function}, {_name(first_a.file)}:{lines}"


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
    # A trace from Windows may be read on any system.
    return (PureWindowsPath if "\\" in file else PurePosixPath)(file).name
