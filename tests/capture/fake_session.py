"""What a recorder and its probes are given, made of the real parts where these do no harm."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fittrace.capture.journal import pybuffer
from fittrace.capture.journal.batch_metadata import MetadataQueue
from fittrace.capture.journal.sample_orders import OrderQueue
from fittrace.capture.record import pyprobes
from fittrace.capture.record.log_inspector import LogInspector
from fittrace.capture.record.names import Names
from fittrace.capture.record.recorder import RecorderContext
from fittrace.capture.sampling.profiler import Profiler
from fittrace.capture.sampling.sampler import SamplerContext
from fittrace.schema.batches_to_sample import Sampling

STATE = -1
STOP = -20

IN_PYTHON: Any = SimpleNamespace(Buffer=pybuffer.Buffer, Probes=pyprobes.Probes)


def compiled() -> ModuleType:
    """The compiled probes; the test is skipped where this checkout has none."""
    module: ModuleType = pytest.importorskip("fittrace.capture._native", reason="nothing was compiled: no C compiler?")
    return module


class FakeSession:
    """Has the buffer of each thread in order of coming, made as `implementation` makes it."""

    def __init__(self, implementation: Any) -> None:
        self.implementation = implementation
        self.definitions: list[dict[str, Any]] = []
        self.names = Names(self.definitions.append)
        self.buffers: list[Any] = []
        self.faults: list[str] = []
        self.orders = OrderQueue()
        self.starts = 0
        self.models: list[type] = []
        self.roots: set[int] = set()
        self.inspector = LogInspector(self.names, self.fault, lambda kind: None, self.roots.discard, STATE, STOP)
        self.context = RecorderContext(
            names=self.names,
            inspector=self.inspector,
            sampling=sampling(self.fault),
            fault=self.fault,
            new_thread=self.new_thread,
            take_order=self.orders.take,
            ensure_started=self.ensure_started,
            meet_model=self.models.append,
            begin_root=self.roots.add,
        )

    def new_thread(self, greenlet: int = 0) -> tuple[Any, None]:
        self.buffers.append(self.implementation.Buffer())
        return self.buffers[-1], None

    def fault(self, where: str, error: BaseException) -> None:
        self.faults.append(where)

    def ensure_started(self) -> None:
        self.starts += 1

    def recorded(self, thread: int = 0) -> list[int]:
        """What a thread has recorded, also before: nothing is taken away."""
        taken: list[int] = self.buffers[thread].take().tolist()
        self.buffers[thread].extend(taken)
        return taken


def sampling(fault: Any) -> SamplerContext:
    """Nothing is sampled."""
    return SamplerContext(
        chosen=Sampling(),
        head=0,
        sites=[],
        metadata=MetadataQueue(lambda message: None),
        profiler=Profiler(),
        unwatched=lambda: None,
        note=lambda kind, message: None,
        fault=fault,
        plain=lambda function: function,
    )
