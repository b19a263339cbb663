"""Definitions: what the numbers in a journal's records stand for, and the facts of its process.

A journal may be damaged or forged. Each definition is checked when it is read, so that the other modules can rely on
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...schema.batches_to_sample import OFF
from ...schema.journal_format import LARGEST
from ...schema.limits import LONGEST_NAME
from ...schema.record_kinds import ENTER_FRAMES, KINDS
from ...schema.tables import PHASES, STAGES

MOST = LARGEST // 1024
"""The numbers of definitions are below this limit. A greater number is damage."""

LOST = "(lost)"
"""Stands for a text or a name whose definition is lost."""

Definition = dict[str, Any]


@dataclass
class KnownDefinitions:
    """What the journal has defined so far. Each list is by number, with None where a definition is lost.

    - `sites`: the sites of records.
    - `threads`: the threads that record.
    - `texts`: texts that operands refer to.
    - `keys`: the names and kinds of the keys of `state` and `values` records.
    - `classes`: the classes of callbacks.
    - `functions`: the engine's functions, as graphs.
    - `sources`: the source code of the engine's files.
    - `engines`: the version of each engine.
    - `notes`: kind and message of each note of the process.
    - `dropped`: how many records load shedding has dropped, by level.
    - `closed`: whether the process has closed the journal.
    - `changed_sites`: how many definitions of sites were added.
    """

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
        """Add one definition. An unknown kind is ignored: a newer fittrace may have written it.

        Raises `ValueError`, `KeyError` or `TypeError` for a definition that makes no sense.
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

    def text(self, number: int, lost: str = LOST) -> str:
        """The text of that number; `lost` if there is no definition of it.

        >>> definitions = KnownDefinitions()
        >>> definitions.add({"define": "text", "text": 1, "value": "on_epoch_end"})
        >>> definitions.text(1), definitions.text(0), definitions.text(7, lost="unknown")
        ('on_epoch_end', '(lost)', 'unknown')
        """
        known = self.texts[number] if 0 <= number < len(self.texts) else None
        return lost if known is None else str(known["value"])

    def class_names(self) -> list[str]:
        """The names of callbacks' classes by number, and at the end one more for a class whose definition is lost."""
        return [LOST if known is None else str(known["name"]) for known in self.classes] + [LOST]


def facts_of(block: Any) -> Definition:
    """The facts of a process, from the first block of its journal.

    Raises `ValueError`, `KeyError` or `TypeError` where they make no sense.
    """
    facts: Definition = {key: _number(block[key]) for key in ("pid", "parent_pid", "time_ns", "clock_ns")}
    rank = block.get("rank")
    facts["rank"] = None if rank is None else _number(rank)
    facts.update((key, _text(block[key])) for key in ("host", "python", "executable"))
    facts["run_metadata"] = _text(block.get("run_metadata", OFF))
    facts["argv"] = [_text(argument) for argument in _list(block["argv"])]
    return facts


def _site(definition: Definition) -> Definition:
    """A checked site, without attributes that the store does not use.

    The derivation relies on what is checked here: a record that enters a frame opens one span, and hooks and turns have
    a span around them.
    """
    phases = [_one_of(PHASES, phase) for phase in _list(definition.get("phases", []))]
    names = [_text(name) for name in _list(definition.get("names", phases))]
    if len(phases) != len(names) or len(phases) > 2:
        raise ValueError("names of other phases")
    kind = _one_of(KINDS, definition["kind"])
    if (kind in ENTER_FRAMES or kind == "hook") and len(phases) != 1:
        raise ValueError(f"a {kind} opens one span")
    if kind in ("hook", "hooked", "turn") and definition.get("depth", 0) + len(phases) < 1:
        raise ValueError(f"a {kind} outside of a frame")
    site: Definition = {"site": definition["site"], "kind": kind, "depth": _number(definition.get("depth", 0), 64)}
    site.update(phases=phases, names=names, line=_number(definition.get("line", 0), 1 << 31))
    site.update((key, _text(definition.get(key, ""))) for key in ("file", "function", "engine"))
    if definition.get("stage") is not None:
        site["stage"] = _one_of(STAGES, definition["stage"])
    if definition.get("counts") is not None:
        site["counts"] = _one_of(("epoch", "batch"), definition["counts"])
    if definition.get("root") is True:
        if "stage" not in site:
            raise ValueError("a root without a stage")
        site["root"] = True
    if definition.get("hook") is not None:
        site["hook"] = _text(definition["hook"])[:LONGEST_NAME]
    site["fence"] = definition.get("fence") is True
    site["goes_on"] = definition.get("goes_on") is True
    return site


def _function(definition: Definition) -> Definition:
    """A checked function, with its graph as a list of nodes."""
    function: Definition = {key: _text(definition[key]) for key in ("engine", "file", "name")}
    function.update(source=_number(definition["source"], MOST), line=_number(definition["line"], 1 << 31))
    count = len(_list(definition["nodes"]))
    function["nodes"] = [_node(node, count) for node in definition["nodes"]]
    return function


def _node(definition: Any, count: int) -> Definition:
    """A checked node of a function's graph, which has `count` nodes. The journal stores it as a list."""
    line, end_line, site, calls, following, raises, again = _list(definition)
    return {
        "line": _number(line, 1 << 31),
        "end_line": _number(end_line, 1 << 31),
        "site": None if site == -1 else _number(site, MOST),
        "calls": [_text(call) for call in _list(calls)],
        "next": [_number(node, count) for node in _list(following)],
        "raises": [_number(node, count) for node in _list(raises)],
        "again": again is True,
    }


def _keys(definition: Definition) -> Definition:
    """Checked names of keys, with one letter for the kind of each: `i`, `n` or `t`."""
    names, kinds = [_text(name) for name in _list(definition["names"])], _text(definition["kinds"])
    if len(names) != len(kinds) or set(kinds) - {"i", "n", "t"}:
        raise ValueError("kinds of other keys")
    return {"names": names, "kinds": kinds}


_CHECKS: dict[str, Callable[[Definition], Definition]] = {
    "site": _site,
    "thread": lambda definition: {"name": _text(definition["name"])},
    "text": lambda definition: {"value": _text(definition["value"])},
    "keys": _keys,
    "class": lambda definition: {"name": _text(definition["name"])[:LONGEST_NAME]},
    "function": _function,
    "source": lambda definition: {"text": _text(definition["text"])},
}


def _text(value: Any) -> str:
    """A text that UTF-8 can encode. Lone surrogates, which Python's strings may hold, are written as escapes.

    >>> _text("a \\udcff key")
    'a \\\\udcff key'
    """
    if type(value) is not str:
        raise TypeError("not a text")
    return value.encode("utf-8", "backslashreplace").decode()


def _number(value: Any, limit: int = 1 << 62) -> int:
    if type(value) is not int or not 0 <= value < limit:
        raise ValueError("not a number, or out of range")
    return value


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError("not a list")
    return value


def _one_of(known: Any, value: Any) -> str:
    if type(value) is not str or value not in known:
        raise ValueError("not a known value")
    return value
