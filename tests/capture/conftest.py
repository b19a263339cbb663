"""An engine of a few lines, and a recorder that writes down in words what its probes say."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from owning import Owning

from fittrace.capture.instrument.install import InstallOutcome, install
from fittrace.capture.instrument.main_thread import owned
from fittrace.capture.sites import Site
from fittrace.engines import CallbackLists, Calls, Engine, Function, Loop, Phase, Tests
from fittrace.schema.journal_format import ABSENT

HOOKS = Phase(None, Calls("on_begin", "on_end"), optional=True)
BATCHES = Loop(
    "batch", over="data", number=("first", "step"), last="last", header="slice", sizes=("size",), steps="per"
)
TABLE = (
    Function(
        "tiny",
        "Trainer.fit",
        phase="fit",
        stage="train",
        root=True,
        before="prepare",
        after="stop",
        loops=(Loop("epoch", target="epoch", number=("epoch",)), BATCHES),
        phases=(
            HOOKS,
            Phase("function", Calls("train_function")),
            Phase("validation", Tests("validate"), inside=("epoch",), taken=True, optional=True),
        ),
    ),
    Function("tiny", "Batches.each", phases=(Phase("make_batches", Calls("iter"), optional=True),), optional=True),
    CallbackLists("tiny", "Hooks"),
)


FLOW = ("values", "step", "line", "enter", "exit", "raised", "thrown")
"""Kinds of site that open and close nothing; tests/replay looks at those."""


class Tape(Owning):
    """A recorder that writes words: the kind of site, then what it opens or is told."""

    def __init__(self) -> None:
        self.sites: list[Site] = []
        self.words: list[str] = []
        self.clock = itertools.count().__next__

    def __getattr__(self, probe: str) -> Callable[..., Any]:
        def said(*operands: Any) -> Any:
            if probe == "enter":
                return None  # no record: that of the frame comes after it
            head, *rest = operands[0] if probe == "record" else operands
            rest = [self.clock(), *rest] if probe == "mark" else rest
            site = self.sites[-head - 1]
            if site.kind in FLOW:
                return rest[-1] if probe == "exit" else None
            shown = [repr(one) for one in (rest[1:] if probe in ("mark", "record") else rest) if one != ABSENT]
            opened = [f"{site.depth}:{'+'.join(site.phases)}"] if site.kind in ("open", "call", "turn") else []
            opened += [str(site.depth)] if site.kind == "close" else []
            self.words.append(" ".join([site.kind, *opened, *shown]))
            return None

        return said


class Tiny:
    """Engines written to files, imported, and made to record."""

    def __init__(self, folder: Path, is_owner: bool) -> None:
        self.folder = folder
        self.is_owner = is_owner
        self.tape = Tape()
        self.outcome: InstallOutcome | None = None

    def load(self, source: str) -> ModuleType:
        """The module with this source, as it is."""
        (self.folder / "tiny.py").write_text(dedent(source))
        importlib.invalidate_caches()
        sys.modules.pop("tiny", None)
        return importlib.import_module("tiny")

    def install(
        self, module: ModuleType, table: tuple[Function | CallbackLists, ...] = TABLE, variables: bool = False
    ) -> InstallOutcome:
        """Make the functions of the module record, after that table."""
        engine = Engine("tiny", "tiny", "tiny", ("1.0",), table)
        self.outcome = install(module, engine, owned(self.tape), self.tape.sites, variables)
        self.tape.is_owner = self.is_owner
        return self.outcome

    def record(self, source: str, table: tuple[Function | CallbackLists, ...] = TABLE) -> ModuleType:
        """The module with this source, whose functions record, after that table."""
        module = self.load(source)
        self.install(module, table)
        return module


@pytest.fixture(params=[True, False], ids=["owner", "another thread"])
def tiny(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tiny]:
    """Every test runs on the thread that the capture belongs to, and as if on another."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Tiny(tmp_path, request.param)
    sys.modules.pop("tiny", None)
