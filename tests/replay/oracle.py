"""What `sys.settrace` says of the functions of a file: each event as the first line of its innermost statement.

Python 3.7 and nothing but the standard library: it runs beside every engine.
"""

from __future__ import annotations

import ast
import sys
from types import FrameType
from typing import Any


class Statements:
    """Which statement each line of a source belongs to; `try:` headers belong to none."""

    def __init__(self, source: str) -> None:
        self.first: dict[int, int | None] = {}
        self.withs: dict[int | None, range] = {}
        self._walk(ast.parse(source))

    def _walk(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                first = min([child.lineno] + [one.lineno for one in getattr(child, "decorator_list", ())])
                last = _last_line(child)
                for line in range(first, last + 1):
                    self.first[line] = None if isinstance(child, ast.Try) else first
                if isinstance(child, (ast.With, ast.AsyncWith)):
                    self.withs[first] = range(child.body[0].lineno, last + 1)
            self._walk(child)


def _last_line(node: ast.AST) -> int:
    lines: list[Any] = [getattr(one, "end_lineno", None) or getattr(one, "lineno", 0) for one in ast.walk(node)]
    last: int = max(lines)
    return last


class Oracle:
    """Collects (function, line) of the calling thread while it is on, of some functions.

    names: of each file its source, and the first line of each function by its qualified name.
    `after` holds for each the plain numbers among the function's variables when its next statement begins.
    """

    def __init__(self, names: dict[str, tuple[str, dict[str, int]]]) -> None:
        self.names = names
        self.statements = {file: Statements(source) for file, (source, _) in names.items()}
        self.by_code = {
            (file, line): name for file, (_, functions) in names.items() for name, line in functions.items()
        }
        self.seen: list[tuple[str, int]] = []
        self.after: list[dict[str, Any]] = []
        self._last: dict[int, tuple[FrameType, int | None]] = {}
        self._at: dict[int, int] = {}

    def __enter__(self) -> Oracle:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        name = self.by_code.get((code.co_filename, code.co_firstlineno))
        if name is None or code.co_name != name.rpartition(".")[2]:
            return None
        return self._local

    def _local(self, frame: FrameType, event: str, argument: Any) -> Any:
        if id(frame) in self._at:
            numbers = {k: v for k, v in dict(frame.f_locals).items() if type(v) in (int, float, bool)}
            self.after[self._at[id(frame)]] = numbers
        if event == "line":
            code = frame.f_code
            name = self.by_code[code.co_filename, code.co_firstlineno]
            statements = self.statements[code.co_filename]
            first = statements.first.get(frame.f_lineno)
            last = self._last[id(frame)][1] if id(frame) in self._last else None
            leaves_with = last is not None and last in statements.withs.get(first, ())
            if first is not None and first != last and not leaves_with:
                self._at[id(frame)] = len(self.seen)
                self.seen.append((name, first))
                self.after.append({})
                # The frame is kept, so that no other gets its identity.
                self._last[id(frame)] = (frame, first)
        return self._local
