"""Definitions: what the numbers in a journal's records stand for, and the facts of its process.

What is read here may be damaged or made to do harm. It is checked once, as it comes in, and can be relied on after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...schema.journal_format import LARGEST
from ...schema.limits import LONGEST_NAME
from ...schema.record_kinds import ENTER_FRAMES, KINDS
from ...schema.sampled_batches import OFF
from ...schema.tables import PHASES, STAGES

MOST = LARGEST // 1024
"""Numbers of definitions are below; one above it is damage."""

Definition = dict[str, Any]


@dataclass
class KnownDefinitions:
    """What the journal has defined so far. Each list is by number; None where a definition was lost."""

    sites: list[Definition | None] = field(default_factory=list)
    threads: list[Definition | None] = field(default_factory=list)
    texts: list[Definition | None] = field(default_factory=list)
    keys: list[Definition | None] = field(default_factory=list)
    classes: list[Definition | None] = field(default_factory=list)
    functions: list[Definition | None] = field(default_factory=list)
    sources: list[Definition | None] = field(default_factory=list)
    engines: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=lambda: {"detail": 0, "batches": 0})
    closed: bool = False
    changed_sites: int = 0

    def add(self, definition: Any) -> None:
        """Take in one definition; a kind that is not known is passed over.

        Raises `ValueError`, `KeyError` or `TypeError` for one that makes no sense.
        """
        what = definition["define"]
        if what == "engine":
            self.engines[_text(definition["engine"])] = _text(definition["version"])
        elif what == "note":
            self.notes.append((_text(definition["kind"]), _text(definition["message"])))
        elif what == "dropped":
            self.dropped = {key: _number(definition[key]) for key in ("detail", "batches")}
        elif what == "closed":
            self.closed = True
        elif what in _CHECKS:
            number = _number(definition[what], MOST)
            checked = _CHECKS[what](definition)
            numbered = {
                "site": self.sites,
                "thread": self.threads,
                "text": self.texts,
                "keys": self.keys,
                "class": self.classes,
                "function": self.functions,
                "source": self.sources,
            }[what]
            numbered.extend([None] * (number + 1 - len(numbered)))
            if numbered[number] not in (None, checked):
                raise ValueError(f"{what} {number} is defined twice")
            numbered[number] = checked
            self.changed_sites += what == "site"


def facts_of(told: Any) -> Definition:
    """The facts of a process that the first block of its journal tells.

    Raises `ValueError`, `KeyError` or `TypeError` where they make no sense.
    """
    facts: Definition = {key: _number(told[key]) for key in ("pid", "parent_pid", "time_ns", "clock_ns")}
    rank = told.get("rank")
    facts["rank"] = None if rank is None else _number(rank)
    facts.update((key, _text(told[key])) for key in ("host", "python", "executable"))
    facts["run_metadata"] = _text(told.get("run_metadata", OFF))
    facts["argv"] = [_text(argument) for argument in _list(told["argv"])]
    return facts


def _site(told: Definition) -> Definition:
    phases = [_one_of(PHASES, phase) for phase in _list(told.get("phases", []))]
    names = [_text(name) for name in _list(told.get("names", phases))]
    if len(phases) != len(names) or len(phases) > 2:
        raise ValueError("names of other phases")
    kind = _one_of(KINDS, told["kind"])
    if (kind in ENTER_FRAMES or kind == "hook") and len(phases) != 1:
        raise ValueError(f"a {kind} opens one span")
    if kind in ("hook", "hooked", "turn") and told.get("depth", 0) + len(phases) < 1:
        raise ValueError(f"a {kind} outside of a frame")
    site: Definition = {"site": told["site"], "kind": kind, "depth": _number(told.get("depth", 0), 64)}
    site.update(phases=phases, names=names, line=_number(told.get("line", 0), 1 << 31))
    site.update((key, _text(told.get(key, ""))) for key in ("file", "function", "engine"))
    if told.get("stage") is not None:
        site["stage"] = _one_of(STAGES, told["stage"])
    if told.get("counts") is not None:
        site["counts"] = _one_of(("epoch", "batch"), told["counts"])
    if told.get("root") is True:
        if "stage" not in site:
            raise ValueError("a root without a stage")
        site["root"] = True
    if told.get("hook") is not None:
        site["hook"] = _text(told["hook"])[:LONGEST_NAME]
    site["fence"] = told.get("fence") is True
    site["goes_on"] = told.get("goes_on") is True
    return site


def _function(told: Definition) -> Definition:
    function: Definition = {key: _text(told[key]) for key in ("engine", "file", "name")}
    function.update(source=_number(told["source"], MOST), line=_number(told["line"], 1 << 31))
    count = len(_list(told["nodes"]))
    function["nodes"] = [_node(node, count) for node in told["nodes"]]
    return function


def _node(told: Any, count: int) -> Definition:
    line, end_line, site, calls, following, raises, again = _list(told)
    return {
        "line": _number(line, 1 << 31),
        "end_line": _number(end_line, 1 << 31),
        "site": None if site == -1 else _number(site, MOST),
        "calls": [_text(call) for call in _list(calls)],
        "next": [_number(node, count) for node in _list(following)],
        "raises": [_number(node, count) for node in _list(raises)],
        "again": again is True,
    }


def _keys(told: Definition) -> Definition:
    names, kinds = [_text(name) for name in _list(told["names"])], _text(told["kinds"])
    if len(names) != len(kinds) or set(kinds) - {"i", "n", "t"}:
        raise ValueError("kinds of other keys")
    return {"names": names, "kinds": kinds}


_CHECKS: dict[str, Callable[[Definition], Definition]] = {
    "site": _site,
    "thread": lambda told: {"name": _text(told["name"])},
    "text": lambda told: {"value": _text(told["value"])},
    "keys": _keys,
    "class": lambda told: {"name": _text(told["name"])[:LONGEST_NAME]},
    "function": _function,
    "source": lambda told: {"text": _text(told["text"])},
}


def _text(value: Any) -> str:
    """`value`, a text, with the halves of surrogate pairs written out, which Python's texts may hold alone: no table
    can hold them.

    >>> _text("a \\udcff key")
    'a \\\\udcff key'
    """
    if type(value) is not str:
        raise TypeError("no text")
    return value.encode("utf-8", "backslashreplace").decode()


def _number(value: Any, limit: int = 1 << 62) -> int:
    if type(value) is not int or not 0 <= value < limit:
        raise ValueError("no number, or one out of range")
    return value


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError("no list")
    return value


def _one_of(known: Any, value: Any) -> str:
    if type(value) is not str or value not in known:
        raise ValueError("not one of those that there are")
    return value
