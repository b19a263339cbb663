"""The line of the engine from which a hook was called; of traces that were recorded here, where its source lies."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator

import pandas as pd

from ..analysis.hook_calls import Call


def engine_line(call: Call, spans: pd.DataFrame, sites: pd.DataFrame) -> str | None:
    """File, line, function and source of what called a hook: the engine's loop, or else its list of callbacks.

    The loop's line is told only where its function has exactly one call of the hook.
    """
    passing = _row(spans, "span", call.passing)
    caller = None if passing is None else _row(spans, "span", passing["parent"])
    for span, name in ((caller, call.hook), (passing, None)):
        site = None if span is None else _row(sites, "site", span["site"])
        if site is None:
            continue
        file, function = str(site["file"]), str(site["function"])
        line = int(site["line"]) if name is None else _line_of(file, function, name)
        if line is not None:
            return f"{file}:{line} in {function}: {linecache.getline(file, line).strip()}"
    return None


def _row(table: pd.DataFrame, column: str, value: object) -> pd.Series | None:
    found = table[table[column] == value] if value is not pd.NA else table[:0]
    return found.iloc[0] if len(found) else None


def _line_of(file: str, function: str, method: str) -> int | None:
    """The line of the only call of `method` in a function of that qualified name."""
    try:
        tree: ast.AST | None = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return None
    for name in function.split("."):
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        body = getattr(tree, "body", ())
        tree = next((node for node in body if isinstance(node, definitions) and node.name == name), None)
    lines = list(_calls(tree, method)) if tree is not None else []
    return lines[0] if len(lines) == 1 else None


def _calls(tree: ast.AST, method: str) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield node.lineno
