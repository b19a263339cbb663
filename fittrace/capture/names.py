"""Names: the texts, log keys and callback classes that records refer to by number."""

from __future__ import annotations

from typing import Any, Callable, Dict

Define = Callable[[Dict[str, Any]], None]

MOST = 65536
"""Texts that differ; beyond it, one more is not kept (a callback that logs a new text at every batch, say)."""


class Names:
    """Numbers for what has a name, each defined once. `define` takes a definition for the journal."""

    def __init__(self, define: Define) -> None:
        self.classes: dict[type, int] = {}
        self._by_id: dict[int, int] = {}
        self._texts: dict[str, int] = {}
        self._keys: dict[tuple[tuple[str, ...], str], int] = {}
        self._kept: list[type] = []
        self._define = define

    def text(self, value: str) -> int:
        """The number of a text."""
        if len(self._texts) >= MOST and value not in self._texts:
            value = "(more than %d different texts; this one was not kept)" % MOST
        return self._number(self._texts, value, "text", value=value)

    def number_keys(self, keys: tuple[Any, ...]) -> int:
        """The number of a dict's keys whose values are all numbers."""
        try:
            return self._keys[keys, "n"]
        except (KeyError, TypeError):
            return self.keys(tuple(_key(key) for key in keys), "n" * len(keys), also=(keys, "n"))

    def keys(self, keys: tuple[str, ...], kinds: str, also: Any = None) -> int:
        """The number of a dict's keys with the kind of each value: `n` for a number, `t` for a text."""
        number = self._number(self._keys, (keys, kinds), "keys", names=list(keys), kinds=kinds)
        if also is not None and all(type(key) is str for key in also[0]) and len(self._keys) < MOST:
            self._keys[also] = number
        return number

    def new_class(self, kind: type) -> int:
        """The number of a callback's class. It is kept, so that its identity stays its own."""
        if id(kind) not in self._by_id:
            number = self._by_id[id(kind)] = len(self._by_id)
            self._kept.append(kind)
            name, module = type.__getattribute__(kind, "__name__"), type.__dict__["__module__"].__get__(kind)
            self._define({"define": "class", "class": number, "name": str(name), "module": str(module)})
            try:
                self.classes[kind] = number
            except TypeError:
                pass  # its metaclass makes it unhashable; it is found by identity
        return self._by_id[id(kind)]

    def _number(self, numbers: dict[Any, int], key: Any, what: str, **facts: Any) -> int:
        number = numbers.get(key)
        if number is None:
            number = numbers.setdefault(key, len(numbers))
            self._define(dict(facts, define=what, **{what: number}))
        return number


def _key(key: object) -> str:
    return key if type(key) is str else "(a key of type %s)" % type(key).__name__
