"""fittrace's names in OpenTelemetry: spans, attributes and metrics, and the ids of spans.

Spans that a process sends while it trains and spans that are exported from its trace later have the same names and the
same ids. `docs/opentelemetry.md` lists the names.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any, NamedTuple

SCOPE = "fittrace"
"""The name of the instrumentation scope."""
SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"
"""The version of the semantic conventions for `code.*`, `exception.*` and the resource's attributes."""

CALLS = ("fit", "evaluate", "predict")
"""The phases of calls. Such a call begins a fit, or is a function inside one."""

SPANS: dict[str, str] = {
    "keras.fit": "one call of `fit`",
    "keras.evaluate": "one call of `evaluate`, outside a fit's own validation",
    "keras.predict": "one call of `predict`",
    "keras.call": "a function of the engine inside such a call, or `evaluate` inside a fit's validation",
    "keras.prepare": "checking arguments, making data adapters, making the train and test functions",
    "keras.configure_callbacks": "`CallbackList(...)`",
    "keras.epoch": "one turn of the epoch loop",
    "keras.shuffle": "shuffling the sample order",
    "keras.make_batches": "cutting the data into batches, making the iterator over them",
    "keras.batch": "one turn of the batch loop",
    "keras.slice": "fetching the next batch's data in Python",
    "keras.to_dense": "turning sparse inputs dense",
    "keras.function": "the backend's call",
    "keras.logs": "turning what the function returned into plain logs",
    "keras.hooks": "`CallbackList.on_*`: one hook of all callbacks",
    "keras.hook": "one callback's one `on_*` call",
    "keras.validation": "the validation of a fit",
    "keras.stop": "leaving the fit",
}
"""All names of spans, with their meanings. Names of models and callbacks are attributes."""

ATTRIBUTES: dict[str, str] = {
    "keras.engine": "the engine, a section of `docs/engines.md`; on fits",
    "keras.engine_version": "version of the engine's package; on fits",
    "keras.fit": "number of the fit in its process, from 0; in exports",
    "keras.stage": "`train`, `test` or `predict`",
    "keras.epoch": "epoch as Keras counts it",
    "keras.batch": "first batch number of the step, as Keras counts it",
    "keras.last_batch": "last batch number of the step; on batches",
    "keras.batch_size": "samples in the batch, if known; on batches; live only in loops over arrays",
    "keras.callback": "class name of the callback; on hooks",
    "keras.callback_position": "index of the callback in the callback list; on hooks",
    "keras.hook": "`on_train_begin`, ...; on hooks",
    "keras.unfinished": "true if the span was still open when the recording ended; in exports",
    "code.function.name": "qualified name of the engine's function",
    "code.file.path": "its source file",
    "code.line.number": "the line where the span begins",
    "thread.name": "name of the thread that ran it",
}
"""The attributes of spans, with their meanings."""


class Metric(NamedTuple):
    """A metric.

    - `kind`: the kind of its instrument: `histogram`, `counter` or `gauge`.
    - `unit`: its unit; empty if it has none.
    - `meaning`: its meaning, the instrument's description.
    """

    kind: str
    unit: str
    meaning: str


METRICS: dict[str, Metric] = {
    "keras.batch.duration": Metric("histogram", "s", "Duration of a batch."),
    "keras.batch.phase.duration": Metric("histogram", "s", "Time of a batch in one of its phases."),
    "keras.hook.duration": Metric("histogram", "s", "Duration of one callback's one hook."),
    "keras.batches": Metric("counter", "{batch}", "Batches that have begun."),
    "keras.samples": Metric("counter", "{sample}", "Samples in these batches, where the engine tells their size."),
    "keras.retraces": Metric("counter", "{batch}", "Batches in which a tf.function was traced, the first among them."),
    "keras.logs": Metric("gauge", "", "Last number of a key in the logs at the end of a batch, an epoch or a fit."),
}
"""The metrics, with their meanings."""

METRIC_ATTRIBUTES: dict[str, str] = {
    "keras.stage": "`train`, `test` or `predict`; on all",
    "keras.phase": "`slice`, `to_dense`, `function`, `logs` or `hooks`; on `keras.batch.phase.duration`",
    "keras.callback": "class name of the callback; on `keras.hook.duration`",
    "keras.hook": "`on_train_begin`, ...; on `keras.hook.duration`",
    "keras.logs.key": "the key; on `keras.logs`",
}
"""The attributes of metrics, with their meanings."""

BOUNDS_S = (
    1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0
)  # fmt: skip
"""The upper bounds of the histograms' buckets, from 10 µs to 10 s. A view of the user may set others."""

LOGS = "keras.logs."
"""The prefix of the attributes with the numbers in logs, on the batch, epoch or fit at whose end they were given."""

RESOURCE: dict[str, str] = {
    "service.name": "`OTEL_SERVICE_NAME`, else the name of the script",
    "host.name": "host name",
    "process.pid": "process id",
    "process.parent_pid": "process id of its parent",
    "process.executable.path": "its Python interpreter",
    "process.command_args": "`sys.argv`",
    "process.runtime.name": "`python`",
    "process.runtime.version": "version of its Python",
    "fittrace.run": "name of the run",
    "fittrace.rank": "worker index, from `TF_CONFIG`",
}
"""The attributes of the resource, with their meanings. `OTEL_RESOURCE_ATTRIBUTES` overrides them."""

TRACEPARENT = "(traceparent)"
"""The key in `values` with the span around a fit, as a W3C `traceparent`."""


def span_name(phase: str, begins_fit: bool, is_hook: bool) -> str:
    """The name of a span, one of `SPANS`.

    - `phase`: the phase of the span.
    - `begins_fit`: whether the span is the root of a fit.
    - `is_hook`: whether the span is one callback's hook.

    >>> span_name("fit", True, False), span_name("fit", False, False), span_name("hooks", False, True)
    ('keras.fit', 'keras.call', 'keras.hook')
    """
    if phase in CALLS and not begins_fit:
        return "keras.call"
    return "keras.hook" if is_hook else "keras." + phase


class Ids:
    """The ids of one process' spans.

    They are hashes of facts that the process and its trace both have. So nothing has to be stored, and spans that are
    sent live and exported later have the same ids.

    - `host`: the name of the host.
    - `pid`: the id of the process.
    - `start_ns`: when its capture began, in Unix nanoseconds.

    >>> ids = Ids("localhost", 1, 1_760_000_000_000_000_000)
    >>> "%016x" % ids.span(1_760_000_000_000_000_500, site=3)
    'beac4ace504795da'
    """

    def __init__(self, host: str, pid: int, start_ns: int) -> None:
        name = "fittrace %s %d %d" % (host, pid, start_ns)
        self._key = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=32).digest()

    def span(self, start_ns: int, site: int, nth: int = 0) -> int:
        """The id of a span.

        - `start_ns`: when it began, in Unix nanoseconds.
        - `site`: the number of the site that opened it.
        - `nth`: which of the spans it is that this site opened at that time, from 0.
        """
        return self._number(8, start_ns, site, nth)

    def trace(self, start_ns: int, site: int) -> int:
        """The trace id of a fit that has no span around it.

        - `start_ns`: when the fit began, in Unix nanoseconds.
        - `site`: the number of the site that began it.
        """
        return self._number(16, start_ns, site, 0)

    def _number(self, size: int, *facts: int) -> int:
        digest = hashlib.blake2b(_FACTS.pack(*facts), digest_size=size, key=self._key).digest()
        return int.from_bytes(digest, "big") or 1  # OpenTelemetry does not allow the id 0


_FACTS = struct.Struct(">qqq")


def traceparent(trace: int, span: int, flags: int = 1) -> str:
    """A span as a W3C `traceparent`.

    - `trace`: the id of its trace.
    - `span`: its id.
    - `flags`: the trace flags; 1 means sampled.

    >>> traceparent(1, 2)
    '00-00000000000000000000000000000001-0000000000000002-01'
    """
    return "00-%032x-%016x-%02x" % (trace, span, flags)


def parent_of(text: Any) -> "tuple[int, int] | None":
    """The ids of trace and span in a W3C `traceparent`; None if `text` is none.

    >>> parent_of("00-00000000000000000000000000000001-0000000000000002-01"), parent_of("x")
    ((1, 2), None)
    """
    try:
        _, trace, span, _ = str(text).split("-")
        return int(trace, 16), int(span, 16)
    except ValueError:
        return None


def resource(process: "dict[str, Any]", argv: "list[str]", run: "str | None") -> "dict[str, Any]":
    """The attributes of a process' resource.

    - `process`: the process' row of `processes`.
    - `argv`: its command line.
    - `run`: the name of the run; None if nothing is recorded.

    >>> facts = dict(host="h", pid=2, parent_pid=1, executable="python", python="3.11.7", rank=None)
    >>> resource(facts, ["train.py"], "a1")["service.name"]
    'train'
    """
    attributes = {
        "service.name": service_name(argv),
        "host.name": process["host"],
        "process.pid": process["pid"],
        "process.parent_pid": process["parent_pid"],
        "process.executable.path": process["executable"],
        "process.command_args": argv,
        "process.runtime.name": "python",
        "process.runtime.version": process["python"],
        "fittrace.run": run,
        "fittrace.rank": process["rank"],
    }
    return {key: value for key, value in attributes.items() if value is not None}


def service_name(argv: "list[str]") -> str:
    """The default name of a program: that of its script.

    >>> service_name(["/home/me/train.py", "--lr", "0.1"])
    'train'
    """
    name = argv[0].replace("\\", "/").rpartition("/")[2] if argv else ""
    return (name[:-3] if name.endswith(".py") else name) or "python"
