"""Meters: the instruments of OpenTelemetry, from the present meter provider."""

from __future__ import annotations

import inspect
from typing import Any, Callable, ClassVar, Iterator

from opentelemetry import metrics
from opentelemetry.metrics import NoOpMeter, Observation

from ...schema.otel_names import BOUNDS_S, METRICS, SCHEMA_URL, SCOPE
from ...version import __version__


class MeterInstruments:
    """The instruments of one meter. `numbers` has the last log values, by stage and key. A gauge reads them."""

    def __init__(self, meter: Any) -> None:
        self.batch = self._histogram(meter, "keras.batch.duration")
        self.phase = self._histogram(meter, "keras.batch.phase.duration")
        self.hook = self._histogram(meter, "keras.hook.duration")
        self.batches, self.samples, self.retraces = (
            meter.create_counter(name, METRICS[name].unit, METRICS[name].meaning)
            for name in ("keras.batches", "keras.samples", "keras.retraces")
        )
        self.numbers: dict[tuple[str, str], float] = {}
        gauge = METRICS["keras.logs"]
        meter.create_observable_gauge("keras.logs", [self._observe], gauge.unit, gauge.meaning)
        # Older versions have no exemplars, and their `record` takes no context.
        self._takes_context = "context" in inspect.signature(self.batch.record).parameters

    def record(self, histogram: Any, duration_ns: int, attributes: "dict[str, str]", context: Any) -> None:
        """Record a duration. The current span of `context` may become its exemplar."""
        if self._takes_context:
            histogram.record(duration_ns / 1e9, attributes, context)
        else:
            histogram.record(duration_ns / 1e9, attributes)

    @staticmethod
    def _histogram(meter: Any, name: str) -> Any:
        facts = METRICS[name]
        create = meter.create_histogram
        if "explicit_bucket_boundaries_advisory" in inspect.signature(create).parameters:
            return create(name, facts.unit, facts.meaning, explicit_bucket_boundaries_advisory=BOUNDS_S)
        return create(name, facts.unit, facts.meaning)

    def _observe(self, _: object) -> "Iterator[Observation]":
        # Iterate over a copy: training threads add keys meanwhile.
        for (stage, key), value in list(self.numbers.items()):
            yield Observation(value, {"keras.stage": stage, "keras.logs.key": key})


class Meters:
    """Provides the instruments. `provider` is called for the meter provider, which may change at any time."""

    # By identity: a provider may be neither hashable nor weakly referable. The entry keeps the provider alive, so
    # that no other one gets its identity.
    _known: ClassVar["dict[int, tuple[Any, MeterInstruments | None]]"] = {}

    def __init__(self, provider: Callable[[], Any] = metrics.get_meter_provider) -> None:
        self._provider = provider

    def instruments(self) -> "MeterInstruments | None":
        """The instruments, which are made once for each provider. None if no provider receives measurements."""
        provider = self._provider()
        known = self._known.get(id(provider))
        if known is None:
            known = self._known[id(provider)] = provider, self._of(provider)
        return known[1]

    @staticmethod
    def _of(provider: Any) -> "MeterInstruments | None":
        if type(provider).__module__.startswith("opentelemetry.metrics"):
            return None  # OpenTelemetry's own, which send nothing: the program has set none yet, or wants none
        meter = provider.get_meter(SCOPE, __version__, SCHEMA_URL)
        return None if isinstance(meter, NoOpMeter) else MeterInstruments(meter)  # OTEL_SDK_DISABLED
