"""Fits of one engine with capture and without, that take turns in one process: asked for on standard input.

The arguments are the engine and settings of the capture, then `live` where spans are sent meanwhile. Each line that
comes in is a number of callbacks, then the names of the fits in this turn, where these are not the usual ones; the
answer is a line of JSON with the seconds of each fit. It runs in the engine's own Python, 3.7 for Keras 2.2.
"""

from __future__ import annotations

import dataclasses
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks import workload
from fittrace.capture import Session
from fittrace.schema.capture_settings import Settings

BATCHES = 200
LONG = 1000
LOOP = 500
USUAL = ("plain", "traced", "again", "plain loop", "traced loop")
"""The fits of a turn that names none."""


class Turns:
    """The fits of `engine`, whose code is made to record once, as the `settings` say, and exchanged between fits."""

    def __init__(self, engine: str, folder: str, settings: Settings) -> None:
        self.training = workload.Training(engine)
        self.session = Session(folder, settings)
        self.session.start()
        self.few, self.many, self.most = map(workload.data, (BATCHES, LOOP, LONG))
        self.subjects: dict[int, dict[str, Callable[[], dict[str, float]]]] = {}

    def turn(self, callbacks: int, *names: str) -> dict[str, dict[str, float]]:
        """The seconds of each fit, or of those of these names, in an order that changes."""
        if callbacks not in self.subjects:
            self.subjects[callbacks] = subjects = self.prepare(callbacks)
            for name in USUAL:
                subjects[name]()  # to warm up
        subjects = self.subjects[callbacks]
        chosen = names or USUAL
        return {name: subjects[name]() for name in random.sample(chosen, len(chosen))}

    def prepare(self, callbacks: int) -> dict[str, Callable[[], dict[str, float]]]:
        """The fits, with so many callbacks; what takes part in them is made here, once."""
        metrics = ("accuracy", "mae") if callbacks else ("accuracy",)
        mine = [self.training.callback() for _ in range(callbacks)]
        model, idle = self.training.network(metrics), self.training.loop(metrics)
        return {
            "plain": lambda: self.timed(False, model, self.few, mine),
            "traced": lambda: self.timed(True, model, self.few, mine),
            "again": lambda: self.timed(False, model, self.few, mine),
            "plain_long": lambda: self.timed(False, model, self.most, mine),
            "traced_long": lambda: self.timed(True, model, self.most, mine),
            "plain loop": lambda: self.timed(False, idle, self.many, mine),
            "traced loop": lambda: self.timed(True, idle, self.many, mine),
        }

    def timed(self, traced: bool, model: Any, data: Any, callbacks: list[Any]) -> dict[str, float]:
        """Seconds of one fit: by the wall, of the processor, and of this thread."""
        for one in self.session._tracing.engines._installed:
            one.function.__code__ = one.probed if traced else one.original
        cpu, thread = time.process_time(), time.thread_time()
        wall = workload.fit(model, data[0], data[1], callbacks)
        return {"wall": wall, "cpu": time.process_time() - cpu, "thread": time.thread_time() - thread}


def send(session: Session) -> None:
    """Send the spans of a session's fits as by default, to an exporter of the SDK's that drops them."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    from fittrace.otel.live_settings import settings
    from fittrace.otel.live_tracer import LiveTracer
    from fittrace.otel.metrics.meters import Meters
    from fittrace.otel.sdk_spans import Tracers

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> Any:
            return SpanExportResult.SUCCESS

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    session.observe(LiveTracer(session, Tracers(lambda: provider), Meters(), settings()))


def main() -> None:
    engine, *given = sys.argv[1:]
    chosen = [one for one in given if one != "live"]
    with tempfile.TemporaryDirectory() as folder:
        turns = Turns(engine, folder, dataclasses.replace(Settings(*chosen), run_metadata="off"))
        if "live" in given:
            send(turns.session)
        for line in sys.stdin:
            callbacks, *names = line.split()
            print(json.dumps(turns.turn(int(callbacks), *names)), flush=True)
        turns.session.close()


if __name__ == "__main__":
    main()
