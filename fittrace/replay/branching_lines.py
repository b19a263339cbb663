"""The lines of the branches and loops in a function's source, and the loops around each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache


@lru_cache(maxsize=16)
def branching_lines(source: str, line: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The lines of the branches and loops in the function around `line`, each with the lines of the loops around it.

    Empty if this version of Python cannot parse the source.

    >>> branching_lines("def f(items):\\n    for item in items:\\n        if item:\\n            return", 1)
    ((2, ()), (3, (2,)))
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    if not functions:
        return ()
    innermost = max(functions, key=lambda function: function.lineno)
    return tuple(_in_body(innermost.body, ()))


def _in_body(body: list[ast.stmt], loops: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """`_branching` for some statements with `loops` around them."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        inside = loops
        if isinstance(statement, (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Match)):
            yield statement.lineno, loops
        if isinstance(statement, (ast.For, ast.AsyncFor, ast.While)):
            inside = (*loops, statement.lineno)
        yield from _in_body(getattr(statement, "body", []), inside)
        for handler in getattr(statement, "handlers", []):
            yield handler.lineno, loops
            yield from _in_body(handler.body, loops)
        for case in getattr(statement, "cases", []):
            yield from _in_body(case.body, loops)
        yield from _in_body(getattr(statement, "orelse", []), loops)
        yield from _in_body(getattr(statement, "finalbody", []), loops)
