"""Names: the texts, log keys and callback classes that records refer to by number."""

from __future__ import annotations

import itertools
from typing import Any, Callable, Dict

Define = Callable[[Dict[str, Any]], None]

MOST = 65536
"""The most texts that differ, and the most sets of keys. A callback may log a new text at every batch."""


class Names:
    """Numbers for what has a name, each defined once. `define` takes a definition for the journal."""

    def __init__(self, define: Define) -> None:
        # By identity: a metaclass may make its classes neither hashable nor comparable.
        self.classes: dict[int, int] = {}
        self.texts: dict[str, int] = {}
        self._keys: dict[tuple[tuple[str, ...], str], int] = {}
        self._kept: list[type] = []
        self.class_names: dict[int, str] = {}
        self._define = define
        # Not the size of a dict, which two threads may read before either adds to it.
        self._free = {"text": itertools.count(), "keys": itertools.count(), "class": itertools.count()}

    def text(self, value: str) -> int:
        """The number of a text."""
        known = self.texts.get(value)
        if known is not None:
            return known
        if len(self.texts) >= MOST:
            value = "(more than %d different texts; this one was not kept)" % MOST
        return self._number(self.texts, value, "text", value=value)

    def keys(self, keys: tuple[str, ...], kinds: str) -> int:
        """The number of a dict's keys with the kind of each value: a number `n`, a whole one `i`, a text `t`."""
        known = self._keys.get((keys, kinds))
        if known is not None:
            return known
        if len(self._keys) >= MOST:
            keys = tuple("(key %d; more than %d different sets of keys)" % (index, MOST) for index in range(len(keys)))
        return self._number(self._keys, (keys, kinds), "keys", names=list(keys), kinds=kinds)

    def new_class(self, kind: type) -> int:
        """The number of a callback's class. It is kept, so that its identity stays its own."""
        name, module = type.__dict__["__name__"].__get__(kind), type.__dict__["__module__"].__get__(kind)
        self._kept.append(kind)
        number = self._number(self.classes, id(kind), "class", name=name, module=module if type(module) is str else "")
        self.class_names[number] = name
        return number

    def keys_of(self, number: int) -> tuple[tuple[str, ...], str]:
        """The keys, and the kind of each value, that have that number."""
        return next((keys for keys, known in list(self._keys.items()) if known == number), ((), ""))

    def text_of(self, number: int) -> str | None:
        """The text that has that number."""
        return next((text for text, known in list(self.texts.items()) if known == number), None)

    def _number(self, numbers: dict[Any, int], key: Any, what: str, **facts: Any) -> int:
        number = numbers.get(key)
        if number is None:
            # Defined before it is known, and so defined at all: a signal handler may raise in between.
            free = next(self._free[what])
            self._define(dict(facts, define=what, **{what: free}))
            number = numbers.setdefault(key, free)
        return number


def plain_key(key: object) -> str:
    """A log's key as a text, without running its code."""
    return key if type(key) is str else "(a key of type %s)" % type.__dict__["__name__"].__get__(type(key))
