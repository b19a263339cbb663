"""Trains on the engine that the first argument names, with spans of its own, and writes down all spans that ended.

Python 3.7 and every Keras. Where the spans are tells what was current when; the file is SEEN.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from typing import Any

import numpy as np
from opentelemetry import baggage, context, trace
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler, export
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fittrace.otel import KerasInstrumentor

ended = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(ended))
tracer = trace.get_tracer("program")
logged = getattr(export, "InMemoryLogRecordExporter", None) or export.InMemoryLogExporter
logged = logged()
loggers = LoggerProvider()
loggers.add_log_record_processor(export.SimpleLogRecordProcessor(logged))
logger = logging.getLogger("program")
logger.addHandler(LoggingHandler(logger_provider=loggers))
logger.propagate = False
SEEN: dict[str, Any] = {"current": {}, "baggage": []}

engine = sys.argv[1]
settings = json.loads(os.environ.get("SETTINGS", '{"level": "all", "batches": 1}'))
if "late" not in sys.argv:
    KerasInstrumentor().instrument(**settings)

import tensorflow as tf  # noqa: E402

if engine == "tf_keras-v1":
    tf.compat.v1.disable_v2_behavior()
if engine.startswith("tf_keras"):
    import tf_keras as keras
elif engine == "tf.keras":
    from tensorflow import keras
else:
    import keras
if "late" in sys.argv:
    KerasInstrumentor().instrument(**settings)


class Mine(keras.callbacks.Callback):
    """Opens a span in every hook, which says which hook it is, and reads the baggage there; and logs a line."""

    def in_hook(self, hook: str) -> None:
        logger.warning(hook)
        with tracer.start_as_current_span("mine", attributes={"hook": hook}):
            SEEN["baggage"].append(baggage.get_baggage("who"))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.in_hook("on_train_begin")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.in_hook("on_epoch_begin")

    # Keras 2.2 calls these; later ones call `on_train_batch_*`, whose default calls these.
    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.in_hook("on_batch_begin")

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.in_hook("on_batch_end")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.in_hook("on_epoch_end")


class Raising(keras.callbacks.Callback):
    """Raises in the second batch, with a span of its own open."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 1:
            with tracer.start_as_current_span("mine"):
                raise ValueError("enough")


class LeftOpen(keras.callbacks.Callback):
    """Makes a span current from one hook to another, and adds to the baggage for good."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.span = tracer.start_span("left open")
        self.token = context.attach(trace.set_span_in_context(self.span))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        context.detach(self.token)
        self.span.end()
        context.attach(baggage.set_baggage("added", "yes"))


def model() -> Any:
    made = keras.models.Sequential([keras.layers.Dense(1, input_shape=(4,))])
    made.compile("sgd", "mse")
    return made


x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")


def fit(callbacks: Any, **more: Any) -> None:
    model().fit(x, y, epochs=2, batch_size=4, verbose=0, callbacks=callbacks, **more)


def current() -> str | None:
    span: Any = trace.get_current_span()
    return span.name if span.is_recording() else None


with tracer.start_as_current_span("nesting"):
    token = context.attach(baggage.set_baggage("who", "me"))
    fit([Mine()], validation_data=(x, y))
    SEEN["current"]["nesting"] = current()
    context.detach(token)

with tracer.start_as_current_span("raising"):
    try:
        fit([Raising()])
    except ValueError:
        SEEN["current"]["raising"] = current()

with tracer.start_as_current_span("left"):
    fit([LeftOpen()])
    SEEN["current"]["left"] = current()
    SEEN["baggage added"] = baggage.get_baggage("added")


def in_a_thread(name: str) -> None:
    with tracer.start_as_current_span(name), tf.Graph().as_default() if tf.__version__ < "2" else threading.Lock():
        fit([Mine()])
        SEEN["current"][name] = current()


threads = [threading.Thread(target=in_a_thread, args=(name,)) for name in ("thread 0", "thread 1")]
for thread in threads:
    thread.start()
    if not tf.executing_eagerly():
        thread.join()  # a graph of TensorFlow 1 is for one thread at a time
for thread in threads:
    thread.join()

if tf.executing_eagerly():

    def loss(true: Any, predicted: Any) -> Any:
        with tracer.start_as_current_span("mine", attributes={"where": "loss"}):
            return (true - predicted) ** 2

    eager = model()
    eager.compile("sgd", loss, run_eagerly=True)
    eager.fit(x, y, verbose=0)

KerasInstrumentor().uninstrument()
before = len(ended.get_finished_spans())
fit([])
SEEN["after uninstrument"] = len(ended.get_finished_spans()) - before
SEEN["spans"] = [
    {
        "name": span.name,
        "id": span.context.span_id,
        "parent": span.parent.span_id if span.parent is not None else None,
        "trace": span.context.trace_id,
        "attributes": dict(span.attributes),
        "status": span.status.status_code.name,
        "events": [[event.name, dict(event.attributes)] for event in span.events],
        "start": span.start_time,
        "end": span.end_time,
        "scope": [span.instrumentation_scope.name, span.instrumentation_scope.schema_url],
    }
    for span in ended.get_finished_spans()
]
records = [one.log_record for one in logged.get_finished_logs()]
SEEN["logged"] = [{"hook": one.body, "span": one.span_id, "trace": one.trace_id} for one in records]
with open(os.environ["SEEN"], "w") as file:
    json.dump(SEEN, file)
