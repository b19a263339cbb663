"""What fittrace says in OpenTelemetry: names of spans, attributes and metrics, levels, and derived ids.

Both sides agree on it: what a traced process sends while it trains and what is made of its trace afterwards have the
same names, and the same ids, since these are derived from what both know. `docs/opentelemetry.md` lists the names.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any, NamedTuple

SCOPE = "fittrace"
"""The name of the instrumentation scope."""
SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"
"""The version of the semantic conventions that `code.*`, `exception.*` and the resource's attributes are from."""

CALLS = ("fit", "evaluate", "predict")
"""The phases of calls. Such a call begins a fit of its own, or is a function inside one."""

SPANS: dict[str, str] = {
    "keras.fit": "one call of `fit`",
    "keras.evaluate": "one call of `evaluate`, outside a fit's own validation",
    "keras.predict": "one call of `predict`",
    "keras.call": "a function of the engine that such a call goes through, or `evaluate` inside a fit's validation",
    "keras.prepare": "arguments, data adapters, making of the train and test functions",
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
    "keras.validation": "everything that a fit does to validate",
    "keras.stop": "leaving the fit",
}
"""The names of spans, with their meanings. There are no others, whatever the model or the callbacks are called."""

ATTRIBUTES: dict[str, str] = {
    "keras.engine": "the engine, a row of `docs/engines.md`; on fits",
    "keras.engine_version": "version of the engine's package; on fits",
    "keras.fit": "number of the fit in its process, from 0; in exports",
    "keras.stage": "`train`, `test` or `predict`",
    "keras.epoch": "epoch as Keras counts it",
    "keras.batch": "first batch number of the step, as Keras counts it",
    "keras.last_batch": "last batch number of the step; on batches",
    "keras.batch_size": "samples in the batch, where the engine tells it; on batches, live only of loops over arrays",
    "keras.callback": "class name of the callback; on hooks",
    "keras.callback_position": "index of the callback in the callback list; on hooks",
    "keras.hook": "`on_train_begin`, ...; on hooks",
    "keras.unfinished": "true where the span was still open when the recording ended; in exports",
    "code.function.name": "qualified name of the engine's function",
    "code.file.path": "its source file",
    "code.line.number": "the line where the span begins",
    "thread.name": "name of the thread that ran it",
}
"""The attributes of spans, with their meanings."""


class Metric(NamedTuple):
    """A metric: the kind of instrument, its unit, if it has one of its own, and its meaning."""

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
"""Where the buckets of the histograms end, from ten microseconds to ten seconds, unless the user's views say else."""

LOGS = "keras.logs."
"""What the attributes for the numbers in logs begin with, on the batch, the epoch and the fit whose end gave them."""

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
"""The attributes of the resource, with their meanings; those of `OTEL_RESOURCE_ATTRIBUTES` come before them."""

LEVELS: dict[str, str] = {
    "fit": "calls of `fit`, `evaluate` and `predict`",
    "epoch": "also epochs and validation",
    "batch": "also batches",
    "hooks": "also hooks, of all callbacks together and of each",
    "all": "every span that fittrace records",
}
"""Which spans are sent, from few to many."""

DEFAULT_LEVEL = "batch"

_FROM = {"epoch": 1, "validation": 1, "batch": 2, "hooks": 3}
_LEVEL = {level: place for place, level in enumerate(LEVELS)}

TRACEPARENT = "(traceparent)"
"""The key in `values` under which a trace tells the span around a fit, as the W3C's `traceparent`."""


def is_sent(level: str, phase: str, begins_fit: bool) -> bool:
    """Whether the spans of a phase are sent at a level.

    >>> [level for level in LEVELS if is_sent(level, "batch", begins_fit=False)]
    ['batch', 'hooks', 'all']
    """
    return begins_fit or _LEVEL[level] >= _FROM.get(phase, 4)


def span_name(phase: str, begins_fit: bool, is_hook: bool) -> str:
    """The name of a span.

    >>> span_name("fit", True, False), span_name("fit", False, False), span_name("hooks", False, True)
    ('keras.fit', 'keras.call', 'keras.hook')
    """
    if phase in CALLS and not begins_fit:
        return "keras.call"
    return "keras.hook" if is_hook else "keras." + phase


class Ids:
    """The ids of one process' spans, derived from what its trace tells of it: `host`, `pid` and `start_ns`.

    >>> ids = Ids("localhost", 1, 1_760_000_000_000_000_000)
    >>> "%016x" % ids.span(1_760_000_000_000_000_500, site=3)
    'beac4ace504795da'
    """

    def __init__(self, host: str, pid: int, start_ns: int) -> None:
        name = "fittrace %s %d %d" % (host, pid, start_ns)
        self._key = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=32).digest()

    def span(self, start_ns: int, site: int, nth: int = 0) -> int:
        """The id of the span that began at `start_ns`, Unix time, at a site; the `nth` that this site opened then."""
        return self._number(8, start_ns, site, nth)

    def trace(self, start_ns: int, site: int) -> int:
        """The id of the trace of a fit that began at `start_ns` at a site, where no span was around it."""
        return self._number(16, start_ns, site, 0)

    def _number(self, size: int, *facts: int) -> int:
        digest = hashlib.blake2b(_FACTS.pack(*facts), digest_size=size, key=self._key).digest()
        return int.from_bytes(digest, "big") or 1


_FACTS = struct.Struct(">qqq")


def traceparent(trace: int, span: int, flags: int = 1) -> str:
    """A span as the W3C's `traceparent`.

    >>> traceparent(1, 2)
    '00-00000000000000000000000000000001-0000000000000002-01'
    """
    return "00-%032x-%016x-%02x" % (trace, span, flags)


def parent_of(text: Any) -> "tuple[int, int] | None":
    """The trace and the span that a `traceparent` tells, or None where it is none.

    >>> parent_of("00-00000000000000000000000000000001-0000000000000002-01"), parent_of("x")
    ((1, 2), None)
    """
    try:
        _, trace, span, _ = str(text).split("-")
        return int(trace, 16), int(span, 16)
    except ValueError:
        return None


def resource(process: "dict[str, Any]", argv: "list[str]", run: "str | None") -> "dict[str, Any]":
    """The attributes of a process' resource, from a row of `processes`; `run` is None where nothing is recorded.

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
    """What a program is called where the user does not say: after its script.

    >>> service_name(["/home/me/train.py", "--lr", "0.1"])
    'train'
    """
    name = argv[0].replace("\\", "/").rpartition("/")[2] if argv else ""
    return (name[:-3] if name.endswith(".py") else name) or "python"
