"""The cost of one recorded span beside one span of OpenTelemetry's SDK.

The probes are made as capture makes them, for the thread that the capture belongs to. A phase's span is two
records, one that opens and one that closes it; mostly a record does both for two neighbours, so this is the dear case.
What is measured is the thread's processor time, which other programs on the machine do not add to.
"""

from __future__ import annotations

import ast
import copy
import functools
import time
from collections.abc import Callable

from fittrace.capture.instrument import main_thread, syntax
from fittrace.capture.instrument.rewrite import with_constants
from fittrace.capture.journal import collector, thread_buffers
from fittrace.capture.journal.record_buffer import Buffer
from fittrace.capture.record.recorder import Recorder

from .recorders import recorder_context
from .table import Row, ratios

COUNT = 2_000
SDK_COUNT = 50
"""Fewer of what takes longer, so that each turn lasts about a millisecond: a shared machine then disturbs all alike."""
_R = f'"{syntax.RECORDER}"'
_SOURCE = f"""
def empty(count, callbacks, logs):
    for number in range(count):
        pass

def phase(count, callbacks, logs):
    for number in range(count):
        {_R}.mark(-2)
        {_R}.mark(-3)

def hook(count, callbacks, logs):
    for number in range(count):
        {_R}.hook(-4, callbacks, callbacks, logs)
"""


class _Model:
    """A model as far as a recorder looks at it."""

    def __init__(self) -> None:
        self.stop_training = False


class _Callbacks:
    """A callback list as far as a recorder looks at it."""

    def __init__(self) -> None:
        self.model = _Model()


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    buffer = Buffer()
    recorder = Recorder(recorder_context(buffer))
    tree = ast.parse(_SOURCE)
    for function in tree.body:
        assert isinstance(function, ast.FunctionDef)
        main_thread.split(function, copy.deepcopy(function))
    names: dict[str, Callable[..., None]] = {}
    exec(with_constants(compile(tree, "<probes>", "exec"), main_thread.owned(recorder)), names)
    callbacks, logs = _Callbacks(), {"loss": 1.0}
    subjects: dict[str, Callable[[], None]] = {
        **{name: functools.partial(names[name], COUNT, callbacks, logs) for name in ("phase", "hook", "empty")},
        "sdk": _sdk(),
        "background": lambda: _drain(buffer),
    }
    samples: dict[str, list[float]] = {name: [] for name in subjects}
    counts = {name: SDK_COUNT if name == "sdk" else COUNT for name in subjects}
    for _ in range(40 if quick else 400):
        for name, subject in subjects.items():
            if name == "background":
                buffer.clear()
                subjects["phase"]()
            begin = time.thread_time_ns()
            subject()
            samples[name].append((time.thread_time_ns() - begin) / counts[name])
            if name != "background":
                buffer.clear()
    loop = samples["empty"]
    # Packing is not in that loop.
    alone = {name: [one - base for one, base in zip(taken, loop)] for name, taken in samples.items()}
    cost = dict(alone, background=samples["background"])
    return [
        Row("one SDK span over one recorded span of a phase", ratios(cost["sdk"], cost["phase"]), "×", 30, True, 1),
        Row("one SDK span over one recorded span of a hook", ratios(cost["sdk"], cost["hook"]), "×", digits=1),
        Row("one recorded span of a phase (opens and closes)", cost["phase"], "ns", digits=0),
        Row("one recorded span of a hook, logs unchanged", cost["hook"], "ns", digits=0),
        Row("its packing in the background, per span", cost["background"], "ns", digits=0),
        Row("one SDK span, two attributes, no exporter", cost["sdk"], "ns", digits=0),
    ]


def _drain(buffer: Buffer) -> None:
    thread = thread_buffers.Thread(0, buffer)
    collector.pack(thread, thread.take())


def _sdk() -> Callable[[], None]:
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider().get_tracer("benchmark")

    def spans() -> None:
        for number in range(SDK_COUNT):
            with tracer.start_as_current_span("train_function", attributes={"epoch": 0, "batch": number}):
                pass

    return spans
