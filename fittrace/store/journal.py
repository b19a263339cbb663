"""Reading a journal: its facts, its definitions so far, and the records of its threads, window by window."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..schema.journal import DEFINE, EVENTS, EVENTS_HEAD, FACTS, LARGEST, Damage, blocks

WINDOW = 8 << 20
"""Numbers that are worked on at once: 64 MiB of records."""

Records = npt.NDArray[np.int64]


@dataclass
class Definitions:
    """What the journal has defined so far. Each list is by number; None where a definition was lost."""

    sites: list[dict[str, Any] | None] = field(default_factory=list)
    threads: list[dict[str, Any] | None] = field(default_factory=list)
    texts: list[dict[str, Any] | None] = field(default_factory=list)
    keys: list[dict[str, Any] | None] = field(default_factory=list)
    classes: list[dict[str, Any] | None] = field(default_factory=list)
    engines: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=lambda: {"detail": 0, "batches": 0})
    closed: bool = False

    def add(self, definition: dict[str, Any]) -> None:
        """Take in one definition; a kind that is not known is passed over."""
        what = definition.get("define")
        if what in ("site", "thread", "text", "keys", "class"):
            numbered = {"site": self.sites, "thread": self.threads, "text": self.texts, "keys": self.keys}.get(
                what, self.classes
            )
            number = int(definition[what])
            if 0 <= number < LARGEST // 1024:
                numbered.extend([None] * (number + 1 - len(numbered)))
                numbered[number] = definition
        elif what == "engine":
            self.engines[str(definition["engine"])] = str(definition["version"])
        elif what == "note":
            self.notes.append((str(definition["kind"]), str(definition["message"])))
        elif what == "dropped":
            self.dropped = {key: int(definition[key]) for key in ("detail", "batches")}
        elif what == "closed":
            self.closed = True


@dataclass
class Chunk:
    """Records of one thread, one chunk after the other; `gap`: chunks before these are lost."""

    thread: int
    records: Records
    gap: bool


class Journal:
    """One process' journal, open for reading from its beginning.

    `facts` are None where the block that tells them is damaged. Raises `OSError` where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: dict[str, Any] | None = None
        self.definitions = Definitions()
        self.damage = Damage()
        self.position = 0
        """Bytes read so far."""
        self._next: dict[int, int] = {}

    def windows(self) -> Iterator[list[Chunk]]:
        """The threads' records in windows of about `WINDOW` numbers; in each, one chunk per thread."""
        waiting: dict[int, list[Records]] = {}
        size = 0
        with self.path.open("rb") as file:
            for kind, payload in blocks(file, self.damage):
                self.position = file.tell()
                try:
                    if kind == EVENTS:
                        thread, number = EVENTS_HEAD.unpack_from(payload)
                        records = self._records(payload)
                        if number != self._next.get(thread, 0) and waiting.get(thread):
                            yield [Chunk(t, np.concatenate(r), False) for t, r in waiting.items()]
                            waiting, size = {}, 0
                        if number != self._next.get(thread, 0):
                            yield [Chunk(thread, records, True)]
                        else:
                            waiting.setdefault(thread, []).append(records)
                            size += len(records)
                        self._next[thread] = number + 1
                    else:
                        self._define(kind, payload)
                except (ValueError, KeyError, TypeError, zlib.error):
                    self.damage.altered += len(payload)
                if size > WINDOW:
                    yield [Chunk(t, np.concatenate(r), False) for t, r in waiting.items()]
                    waiting, size = {}, 0
        if waiting:
            yield [Chunk(t, np.concatenate(r), False) for t, r in waiting.items()]

    def _records(self, payload: bytes) -> Records:
        stream = zlib.decompressobj()
        data = stream.decompress(payload[EVENTS_HEAD.size :], LARGEST)
        if stream.unconsumed_tail or len(data) % 8:
            raise ValueError("a chunk larger than a chunk can be")
        return np.frombuffer(data, "<i8").astype(np.int64)

    def _define(self, kind: int, payload: bytes) -> None:
        if kind == FACTS and self.facts is None:
            facts = json.loads(payload)
            for key in ("pid", "parent_pid", "time_ns", "clock_ns"):
                int(facts[key])
            self.facts = facts
        elif kind == DEFINE:
            for line in payload.splitlines():
                self.definitions.add(json.loads(line))
