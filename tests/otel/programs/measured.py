"""Trains on the engine that the first argument names, with a meter provider, and writes down what was measured.

Python 3.7 and every Keras. The file is SEEN; SETTINGS are what the instrumentor is given.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import numpy as np
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from fittrace.otel import KerasInstrumentor

engine = sys.argv[1]
reader = InMemoryMetricReader()
if "late" not in sys.argv:
    metrics.set_meter_provider(MeterProvider([reader]))
trace.set_tracer_provider(TracerProvider())
KerasInstrumentor().instrument(**json.loads(os.environ.get("SETTINGS", "{}")))

import tensorflow as tf  # noqa: E402

if engine == "tf_keras-v1":
    tf.compat.v1.disable_v2_behavior()
if engine.startswith("tf_keras"):
    import tf_keras as keras
elif engine == "tf.keras":
    from tensorflow import keras
else:
    import keras


class Own(keras.callbacks.Callback):
    """Has a hook of each kind."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        pass

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        pass


class Training(keras.callbacks.Callback):
    """Trains another model in a hook at the end of the first batch."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 0:
            model().fit(x, y, batch_size=4, verbose=0)


def model() -> Any:
    made = keras.models.Sequential([keras.layers.Dense(1, input_shape=(4,))])
    made.compile("sgd", "mse")
    return made


x, y = np.ones((22, 4), "float32"), np.ones((22, 1), "float32")
trained = model()
trained.fit(x, y, epochs=3, batch_size=4, verbose=0, callbacks=[Own()], validation_data=(x[:9], y[:9]))
trained.evaluate(x, y, batch_size=8, verbose=0)
if "unknown" in sys.argv and engine in ("keras-3", "tf_keras"):
    # Batches whose number nobody knows before; the last are left out, where few are sent.
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(2).filter(lambda x, y: tf.reduce_all(x > 0))
    trained.fit(data, epochs=2, verbose=0, callbacks=[Own()], validation_data=data)
if "nested" in sys.argv:
    trained.fit(x, y, epochs=2, batch_size=8, verbose=0, callbacks=[Training()])
if "late" in sys.argv:
    metrics.set_meter_provider(MeterProvider([reader]))
    trained.fit(x, y, epochs=1, batch_size=4, verbose=0)


def point(one: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"attributes": dict(one.attributes)}
    for name in ("value", "count", "sum", "explicit_bounds"):
        if hasattr(one, name):
            facts[name] = getattr(one, name)
    facts["exemplars"] = [(one.span_id, one.trace_id) for one in getattr(one, "exemplars", ())]
    return facts


def collected() -> list[Any]:
    data = reader.get_metrics_data()
    return [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []


scopes = collected()
seen = {
    "scopes": [(scope.scope.name, scope.scope.version, scope.schema_url) for scope in scopes],
    "metrics": {
        one.name: {"unit": one.unit, "description": one.description, "points": [point(p) for p in one.data.data_points]}
        for scope in scopes
        for one in scope.metrics
    },
}
KerasInstrumentor().uninstrument()
seen["after"] = [one.name for scope in collected() for one in scope.metrics if one.data.data_points]
with open(os.environ["SEEN"], "w") as file:
    json.dump(seen, file)
