"""Reading a hook pattern: text to `Pattern`, with errors that point at the place."""

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
"""The largest number in braces: more batches than an epoch has."""


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


def parse(text: str) -> Pattern:
    """The pattern that `text` says; an empty one says that there are no hooks.

    Raises `PatternError`, with line and column, where it says none.

    >>> parse("on_epoch_begin batches on_epoch_end").items[0]
    Hook(name='on_epoch_begin', callback=None)
    """
    return _Parser(text).whole()


def _pair(what: str) -> Pattern:
    return Sequence((Hook(f"on_{what}_begin"), Hook(f"on_{what}_end")))


_SHORT: dict[str, Pattern] = {
    "batches": Each("batch", Choice((_pair("train_batch"), _pair("batch")))),
    "validation": Sequence((Hook("on_test_begin"), Each("batch", _pair("test_batch"), least=0), Hook("on_test_end"))),
}


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._next = 0

    def whole(self) -> Pattern:
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
            return self._each(token)
        elif token.text in _SHORT:
            item = _SHORT[token.text]
            if isinstance(item, Each):
                return Each(item.what, item.body, *self._times((1, None)))
        elif token.kind == "name":
            item = self._hook(token)
        else:
            raise self._error(f"{token.text!r} with nothing before it to repeat; put a hook or a group there", token)
        least, most = self._times((1, 1))
        return item if (least, most) == (1, 1) else Repeat(item, least, most)

    def _each(self, each: _Token) -> Pattern:
        what = self._advance()
        if what.text not in ("epoch", "batch"):
            raise self._error("'each' is followed by epoch or batch: each epoch (...)", what)
        opening = self._advance()
        if opening.text != "(":
            raise self._error(f"'each {what.text}' is followed by its hooks in parentheses", opening)
        return Each(what.text, self._group(opening), *self._times((1, None)))

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
        found = self._peek().text == text
        self._next += found
        return found

    def _split(self) -> list[_Token]:
        tokens = []
        place = 0
        while place < len(self._text):
            found = _TOKEN.match(self._text, place)
            if found is None:
                where = _Token("unknown", self._text[place], place)
                raise self._error(f"{where.text!r} means nothing in a hook pattern; take it away", where)
            if found.lastgroup != "space":
                tokens.append(_Token(str(found.lastgroup), found.group(), place))
            place = found.end()
        return [*tokens, _Token("end", "", len(self._text))]

    def _error(self, message: str, token: _Token, inside: int = 0) -> PatternError:
        place = token.place + inside
        begin = self._text.rfind("\n", 0, place) + 1
        line = self._text[begin:].split("\n", 1)[0]
        return PatternError(message, line, self._text.count("\n", 0, place) + 1, place - begin + 1)
