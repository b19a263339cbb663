"""The line of the engine that called a hook.

It is read from the engine's source files, so it works where the trace was recorded.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator

import pandas as pd

from ..analysis.hook_calls import Call


def engine_line(call: Call, spans: pd.DataFrame, sites: pd.DataFrame) -> str | None:
    """File, line, function and source text of the statement that called a hook; None if it is not known.

    It is a line of the engine's loop if the loop's function has exactly one call of the hook, else a line of the
    callback list.

    - `call`: the call of the hook.
    - `spans`: the table `spans`.
    - `sites`: the table `sites`.
    """
    callback_list = _row(spans, "span", call.passing)
    loop = None if callback_list is None else _row(spans, "span", callback_list["parent"])
    for span, method in ((loop, call.hook), (callback_list, None)):
        site = None if span is None else _row(sites, "site", span["site"])
        if site is None:
            continue
        file, function = str(site["file"]), str(site["function"])
        # The site of a loop's span is where the span begins, not where it calls the hook.
        line = int(site["line"]) if method is None else _line_of_call(file, function, method)
        if line is not None:
            return f"{file}:{line} in {function}: {linecache.getline(file, line).strip()}"
    return None


def _row(table: pd.DataFrame, column: str, value: object) -> pd.Series | None:
    """The first row with `value` in `column`; None if there is none."""
    rows = table[table[column] == value] if value is not pd.NA else table[:0]
    return rows.iloc[0] if len(rows) else None


def _line_of_call(file: str, function: str, method: str) -> int | None:
    """The line of the only call of `method` in a function.

    - `file`: the path of the source file.
    - `function`: the qualified name of the function.
    - `method`: the name of the method that it calls.
    """
    try:
        tree: ast.AST | None = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return None
    for name in function.split("."):
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        body = getattr(tree, "body", ())
        tree = next((node for node in body if isinstance(node, definitions) and node.name == name), None)
    lines = list(_lines_of_calls(tree, method)) if tree is not None else []
    return lines[0] if len(lines) == 1 else None


def _lines_of_calls(tree: ast.AST, method: str) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield node.lineno
