"""Reads a hook pattern: text to `Pattern`, by recursive descent."""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

from ...schema.hook_names import HOOKS
from .elements import Anything, Choice, Each, Hook, Pattern, PatternError, Repeat, Sequence

_TOKEN = re.compile(
    r"""(?P<space>\s+ | \#[^\n]*)
      | (?P<dots>\.\.\.)
      | (?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
      | (?P<count>\{\s*\d+\s*(?:,\s*\d*\s*)?\})
      | (?P<mark>[()|?*+])
    """,
    re.VERBOSE,
)
_WORDS = ("each", "epoch", "batch", "batches", "validation")
MOST = 1_000_000
"""The largest number in braces. No epoch has so many batches."""


class _Token(NamedTuple):
    """A token of a pattern.

    - `kind`: a group of `_TOKEN`, or `end` behind the last token.
    - `text`: its characters.
    - `offset`: where in the pattern it begins.
    """

    kind: str
    text: str
    offset: int


def parse(text: str) -> Pattern:
    """The pattern in `text`. An empty text is the pattern of a fit without hooks.

    Raises `PatternError`, with line and column, if `text` has a mistake.

    >>> parse("on_epoch_begin batches on_epoch_end").items[0]
    Hook(name='on_epoch_begin', callback=None)
    """
    return _Parser(text).whole()


def _pair(loop: str) -> Pattern:
    return Sequence((Hook(f"on_{loop}_begin"), Hook(f"on_{loop}_end")))


_ABBREVIATIONS: dict[str, Pattern] = {
    "batches": Each("batch", Choice((_pair("train_batch"), _pair("batch")))),
    "validation": Sequence((Hook("on_test_begin"), Each("batch", _pair("test_batch"), least=0), Hook("on_test_end"))),
}


class _Parser:
    """A parser of one pattern, with a method for each rule of the grammar. `_next` is the index of the next token."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._next = 0

    def whole(self) -> Pattern:
        """The pattern of the whole text."""
        pattern = self._choice()
        token = self._peek()
        if token.kind != "end":
            raise self._error("')' without a '(' before it; take it away or open it", token)
        return pattern

    def _choice(self) -> Pattern:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Pattern:
        items: list[Pattern] = []
        while self._peek().kind != "end" and self._peek().text not in (")", "|"):
            items.append(self._item())
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _item(self) -> Pattern:
        token = self._advance()
        if token.text == "(":
            item = self._group(token)
        elif token.kind == "dots":
            item = Repeat(Anything(), 0, None)
        elif token.text == "each":
            return self._each()
        elif token.text in _ABBREVIATIONS:
            item = _ABBREVIATIONS[token.text]
            if isinstance(item, Each):
                # A count after `batches` is the number of its turns, not a repetition of the whole loop.
                return Each(item.unit, item.body, *self._times((1, None)))
        elif token.kind == "name":
            item = self._hook(token)
        else:
            raise self._error(f"{token.text!r} with nothing before it to repeat; put a hook or a group there", token)
        least, most = self._times((1, 1))
        return item if (least, most) == (1, 1) else Repeat(item, least, most)

    def _each(self) -> Pattern:
        unit = self._advance()
        if unit.text not in ("epoch", "batch"):
            raise self._error("'each' is followed by epoch or batch: each epoch (...)", unit)
        opening = self._advance()
        if opening.text != "(":
            raise self._error(f"'each {unit.text}' is followed by its hooks in parentheses", opening)
        return Each(unit.text, self._group(opening), *self._times((1, None)))

    def _group(self, opening: _Token) -> Pattern:
        inner = self._choice()
        if not self._take(")"):
            raise self._error("'(' that is never closed; add the ')'", opening)
        return inner

    def _hook(self, token: _Token) -> Pattern:
        callback, _, name = token.text.rpartition(".")
        if name not in HOOKS:
            near = difflib.get_close_matches(name, [*HOOKS, *_WORDS], 1)
            remedy = f"did you mean {near[0]}?" if near else "hooks are called on_epoch_end, on_train_batch_begin, ..."
            raise self._error(f"{name!r} is no hook; {remedy}", token, len(callback) + 1 if callback else 0)
        return Hook(name, callback or None)

    def _times(self, default: tuple[int, int | None]) -> tuple[int, int | None]:
        """The least and the most repetitions that `?`, `*`, `+` or a count in braces says; `default` without these."""
        token = self._peek()
        if token.text in ("?", "*", "+"):
            self._next += 1
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}[token.text]
        if token.kind != "count":
            return default
        self._next += 1
        least, comma, most = token.text.strip("{} ").partition(",")
        low, high = int(least), int(most) if most.strip() else None if comma else int(least)
        if high is not None and high < low:
            raise self._error(f"{token.text}: at least {low} and at most {high}; put the smaller number first", token)
        if max(low, high or 0) > MOST:
            raise self._error(f"{token.text}: numbers go up to {MOST}; write {{1,}} for any number", token)
        return low, high

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _advance(self) -> _Token:
        token = self._peek()
        if token.kind == "end":
            raise self._error("the pattern ends too early; something must follow", token)
        self._next += 1
        return token

    def _take(self, text: str) -> bool:
        """Whether the next token is `text`; if so, go past it."""
        is_next = self._peek().text == text
        self._next += is_next
        return is_next

    def _split(self) -> list[_Token]:
        tokens = []
        offset = 0
        while offset < len(self._text):
            token = _TOKEN.match(self._text, offset)
            if token is None:
                unknown = _Token("unknown", self._text[offset], offset)
                raise self._error(f"{unknown.text!r} means nothing in a hook pattern; take it away", unknown)
            if token.lastgroup != "space":
                tokens.append(_Token(str(token.lastgroup), token.group(), offset))
            offset = token.end()
        return [*tokens, _Token("end", "", len(self._text))]

    def _error(self, message: str, token: _Token, skip: int = 0) -> PatternError:
        """The error `message` at `token`, `skip` characters behind its beginning."""
        offset = token.offset + skip
        line_begin = self._text.rfind("\n", 0, offset) + 1
        line = self._text[line_begin:].split("\n", 1)[0]
        return PatternError(message, line, self._text.count("\n", 0, offset) + 1, offset - line_begin + 1)
