"""Lines of Python source as tokens, for highlighting."""

from __future__ import annotations

from collections.abc import Sequence

from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String, _TokenType

from ...views.source_lines import clean

SourceLine = list[tuple[str, str]]
"""A line of source: its tokens, each a class of the page's style and the code. The class is empty for plain code."""

_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "comment"),
    (Operator.Word, "keyword"),
    (Keyword, "keyword"),
    (Number, "number"),
    (String, "string"),
    (Literal, "string"),
    (Name.Function, "defined"),
    (Name.Class, "defined"),
    (Name.Decorator, "defined"),
    (Name.Builtin, "builtin"),
    (Name.Exception, "builtin"),
)
"""The classes of tokens. The first that fits counts."""


def token_lines(lines: Sequence[str]) -> list[SourceLine]:
    """Lines of source as tokens, with tabs as spaces and control characters escaped.

    >>> token_lines(["return 1  # one"])
    [[('keyword', 'return'), ('', ' '), ('number', '1'), ('', '  '), ('comment', '# one')]]
    """
    cleaned = [clean(line) for line in lines]
    found: list[SourceLine] = [[]]
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens("\n".join(cleaned)):
        for number, part in enumerate(text.split("\n")):
            if number:
                found.append([])
            if part:
                _append(found[-1], _class_of(kind), part)
    # A lexer may change the text, such as its line ends. Then the source stays plain.
    if ["".join(code for _, code in line) for line in found] != cleaned:
        return [[("", line)] if line else [] for line in cleaned]
    return found


def _append(line: SourceLine, name: str, code: str) -> None:
    """Append a token to a line. Neighbours of one class become one token, so that the page is smaller."""
    if line and line[-1][0] == name:
        code = line.pop()[1] + code
    line.append((name, code))


def _class_of(kind: _TokenType) -> str:
    return next((name for parent, name in _CLASSES if kind in parent), "")
