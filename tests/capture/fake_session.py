"""What a recorder and its probes need of a session."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fittrace.capture.journal import pybuffer
from fittrace.capture.journal.collector import Collector
from fittrace.capture.journal.definitions import Definitions
from fittrace.capture.journal.load_shedder import stand_ins
from fittrace.capture.journal.thread_buffers import Threads
from fittrace.capture.record import pyprobes
from fittrace.capture.record.log_inspector import LogInspector
from fittrace.capture.record.names import Names
from fittrace.capture.sampling.sampler import Sampler
from fittrace.schema.sampled_batches import Sampling

STATE = -1
STOP = -20

IN_PYTHON: Any = SimpleNamespace(Buffer=pybuffer.Buffer, Probes=pyprobes.Probes)


def compiled() -> ModuleType:
    """The compiled probes; the test is skipped where this checkout has none."""
    return pytest.importorskip("fittrace.capture._native", reason="nothing was compiled here: no C compiler?")  # type: ignore[no-any-return]


class FakeSession:
    """Has the buffer of each thread in order of coming, made as `implementation` makes it."""

    def __init__(self, implementation: Any) -> None:
        self.implementation = implementation
        self.definitions: list[dict[str, Any]] = []
        self.names = Names(self.definitions.append)
        self.buffers: list[Any] = []
        self.faults: list[str] = []
        self.stopped: dict[int, int] = {}
        self.collector = Collector(Threads(), [], stand_ins(1), Definitions())
        self.awoken = 0
        self.models: list[type] = []
        self.roots: set[int] = set()
        self.looking = LogInspector(self, STATE, STOP)  # type: ignore[arg-type]

    def sampler(self, record: Any) -> Sampler:
        return Sampler(self, Sampling(), 0, record)  # type: ignore[arg-type]

    def new_thread(self, greenlet: int = 0) -> tuple[Any, None]:
        self.buffers.append(self.implementation.Buffer())
        return self.buffers[-1], None

    def fault(self, where: str, error: BaseException) -> None:
        self.faults.append(where)

    def awake(self) -> None:
        self.awoken += 1

    def begin_root(self, frame: int) -> None:
        self.roots.add(frame)

    def end_root(self, frame: int) -> None:
        self.roots.discard(frame)

    def meet_model(self, kind: type) -> None:
        self.models.append(kind)

    def meet_callback(self, kind: type) -> int:
        return self.names.new_class(kind)

    def recorded(self, thread: int = 0) -> list[int]:
        """What a thread has recorded, also before: nothing is taken away."""
        taken: list[int] = self.buffers[thread].take().tolist()
        self.buffers[thread].extend(taken)
        return taken
