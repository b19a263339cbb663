"""The tables of a trace, column by column, as they lie in Parquet.

Every table is a folder of hive partitions, `<run>/<table>/process=<n>/part-<k>-<crc32>.parquet`: a process of a run
writes its own partition alone, so that the folders of many runs and machines are one set of tables for any Parquet
reader.
Times are Unix nanoseconds; durations are nanoseconds. `docs/schema.md` is generated from this module.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its `name`, Arrow `type` (as `pyarrow.type_for_alias` spells it, `dictionary` for repeated text, or
    `list<...>` of such a type), its `meaning`, and whether it is `nullable`.

    >>> Column("fit", "int32", "number of the fit in its process").nullable
    False
    """

    name: str
    type: str
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its `name`, what a row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...]


PHASES: dict[str, str] = {
    "fit": "the call of `fit` itself, and what no other phase claims of it",
    "evaluate": "the call of `evaluate`, alone or as the validation of a fit",
    "predict": "the call of `predict`",
    "prepare": "arguments, data adapters, `validation_split`, making of the train and test functions",
    "configure_callbacks": "`CallbackList(...)`: `History`, `ProgbarLogger`, `set_model`, `set_params`",
    "epoch": "one turn of the epoch loop",
    "shuffle": "shuffling the sample order",
    "make_batches": "cutting the data into batches, making the iterator over them",
    "batch": "one turn of the batch loop",
    "slice": "fetching the next batch's data in Python",
    "to_dense": "turning sparse inputs dense",
    "function": "the backend's call: `train_function`, `test_function`, `predict_function`, `Function._call`",
    "logs": "turning what the function returned into plain logs",
    "hooks": "`CallbackList.on_*` and every callback's `on_*` in it",
    "validation": "everything that a fit does to validate",
    "stop": "leaving the fit: finalising variables, dropping iterators",
}
"""The closed set of phases, with the meaning of each (the brief's phase table)."""

BATCH_PHASES: tuple[str, ...] = ("slice", "to_dense", "function", "logs", "hooks")
"""The phases inside a batch; `batches` has one `<phase>_ns` column for each."""

STAGES: tuple[str, ...] = ("train", "test", "predict")

STATUSES: dict[str, str] = {
    "ok": "it returned",
    "error": "an exception left it",
    "unfinished": "it was still open when the recording ended",
}

_FIT = Column("fit", "int32", "number of the fit in its process, from 0")
_STAGE = Column("stage", "dictionary", "`train`, `test` or `predict`")
_EPOCH = Column("epoch", "int64", "epoch as Keras counts it; null outside the epoch loop", nullable=True)
_BATCH = Column("batch", "int64", "first batch number of the step, as Keras counts it; null outside", nullable=True)

PROCESSES = Table(
    "processes",
    "one traced process of the run",
    (
        Column("pid", "int64", "process id"),
        Column("parent_pid", "int64", "process id of its parent"),
        Column("rank", "int64", "worker index, from `TF_CONFIG`", nullable=True),
        Column("host", "string", "host name"),
        Column("python", "string", "version of its Python"),
        Column("executable", "string", "its Python interpreter"),
        Column("argv", "string", "`sys.argv` as a JSON list"),
        Column("start_ns", "int64", "when its capture began"),
        Column("end_ns", "int64", "the last moment that it recorded"),
        Column(
            "ending", "string", "`closed` by the process itself, `cut` when it died, `running` when it still went on"
        ),
        Column("dropped_detail", "int64", "records of inner phases dropped because the disk could not keep up"),
        Column("dropped_batches", "int64", "records of batches, hooks and logs dropped for the same reason"),
        Column("damaged_bytes", "int64", "bytes of its journal that could not be read"),
    ),
)

FITS = Table(
    "fits",
    "one call of `fit`, or of `evaluate` or `predict` outside a fit's own validation",
    (
        _FIT,
        Column("method", "dictionary", "`fit`, `evaluate` or `predict`"),
        Column("engine", "dictionary", "the engine, a row of the engine table"),
        Column("engine_version", "dictionary", "version of the engine's package"),
        Column("start_ns", "int64", "start"),
        Column("duration_ns", "int64", "duration"),
        Column("epochs", "int64", "epochs begun"),
        Column("batches", "int64", "training batches begun (of the fit's own stage)"),
        Column("status", "dictionary", "`ok`, `error` or `unfinished`"),
        Column("error", "string", "type and message of the exception that left it", nullable=True),
        Column("thread", "dictionary", "name of the thread that called it"),
        Column("span", "int64", "its root span"),
        Column("parent_fit", "int32", "the fit inside whose hook it was called", nullable=True),
        Column("parent_span", "int64", "the span of that fit in which it was called", nullable=True),
    ),
)

SPANS = Table(
    "spans",
    "one timed interval of the engine, in order of start within a thread",
    (
        _FIT,
        Column("span", "int64", "number of the span, unique in its process; a parent's is below its children's"),
        Column("parent", "int64", "the span that holds it; null for a fit's root and on another thread", nullable=True),
        _STAGE,
        _EPOCH,
        _BATCH,
        Column("phase", "dictionary", "one of the closed set of phases"),
        Column("name", "dictionary", "the engine's function, or `Callback.hook`"),
        Column("start_ns", "int64", "start"),
        Column("duration_ns", "int64", "duration"),
        Column(
            "children_ns",
            "int64",
            "the part of the duration in child spans; beside the fit's thread, all of it",
        ),
        Column("thread", "dictionary", "name of the thread that ran it"),
        Column("status", "dictionary", "`ok`, `error` or `unfinished`"),
        Column(
            "callback", "dictionary", "class name of the callback; null where the span is no hook call", nullable=True
        ),
        Column("position", "int32", "index of the callback in the callback list", nullable=True),
        Column("hook", "dictionary", "`on_train_begin`, ...; null outside hooks", nullable=True),
        Column("site", "int32", "the place in the engine's source that opened it, a row of `sites`"),
    ),
)

BATCHES = Table(
    "batches",
    "one turn of a batch loop; `logs.<key>` columns follow, one for each numeric key of its end's logs",
    (
        _FIT,
        _STAGE,
        _EPOCH,
        _BATCH,
        Column("last_batch", "int64", "last batch number of the step: `batch`, or more with `steps_per_execution`"),
        Column("size", "int64", "samples in it, where the engine tells it", nullable=True),
        Column(
            "first_sample",
            "int64",
            "place of its first sample in the epoch's order (`samples`), where the engine tells it",
            nullable=True,
        ),
        Column("span", "int64", "its span"),
        Column("start_ns", "int64", "start"),
        Column("duration_ns", "int64", "duration"),
        *[Column(phase + "_ns", "int64", "time in the `%s` phase" % phase) for phase in BATCH_PHASES],
        Column("status", "dictionary", "`ok`, `error` or `unfinished`"),
    ),
)

LOGS = Table(
    "logs",
    "one key of the logs dict at a moment when it changed: as the engine made it, or as a callback left it",
    (
        _FIT,
        _STAGE,
        _EPOCH,
        _BATCH,
        Column("hook", "dictionary", "the hook that was given the dict"),
        Column("span", "int64", "the span of `CallbackList.on_*` that passed it on"),
        Column("position", "int32", "-1 as the engine made it, else the index of the callback that left it so"),
        Column("key", "dictionary", "the key"),
        Column("value", "float64", "the value where it is a number", nullable=True),
        Column("text", "string", "what the value is where it is no number; `removed` true: null", nullable=True),
        Column("removed", "bool", "that callback took the key away"),
    ),
)

SAMPLES = Table(
    "samples",
    "a stretch of the order in which an epoch took its samples: `count` samples that follow each other",
    (
        _FIT,
        _STAGE,
        _EPOCH,
        Column("position", "int64", "place in the order of the stretch's first sample, from 0"),
        Column("sample", "int64", "index of that sample in the data; null where the order was not kept", nullable=True),
        Column("count", "int64", "samples in the stretch: `sample`, `sample + 1`, ..."),
    ),
)

STOPS = Table(
    "stops",
    "one change of the model's `stop_training`",
    (
        _FIT,
        _STAGE,
        _EPOCH,
        _BATCH,
        Column("value", "dictionary", "what it became, as Python writes it: `True`"),
        Column("hook", "dictionary", "the hook after which it was so, or before which where no callback did it"),
        Column("callback", "dictionary", "class name of the callback; null where no hook did it", nullable=True),
        Column("position", "int32", "index of the callback in the callback list; -1 where no hook did it"),
        Column("span", "int64", "the span of the hook; where no hook did it, that of the next `CallbackList.on_*`"),
    ),
)

SITES = Table(
    "sites",
    "one place in the engine's source that records",
    (
        Column("site", "int32", "number of the site in its process"),
        Column("engine", "dictionary", "the engine"),
        Column("file", "string", "path of the source file"),
        Column("function", "string", "qualified name of the function"),
        Column("line", "int32", "first line of the statement"),
        Column("kind", "dictionary", "what the record says: `call`, `leave`, `open`, `close`, `turn`, `hook`, ..."),
        Column("phase", "dictionary", "the phase that it opens", nullable=True),
        Column("name", "string", "the name of the span that it opens", nullable=True),
        Column("opens", "list<string>", "the phases of the spans that it opens"),
        Column("depth", "int32", "spans of its frame that it leaves open before it opens its own"),
        Column("fence", "bool", "whether it begins or ends a frame that is no call of a function"),
    ),
)

FUNCTIONS = Table(
    "functions",
    "one function of the engine whose control flow is recorded",
    (
        Column("function", "int32", "number of the function in its process"),
        Column("engine", "dictionary", "the engine"),
        Column("file", "string", "path of the source file"),
        Column("source", "string", "SHA-256 of the file's text, a row of `sources`"),
        Column("name", "string", "qualified name of the function"),
        Column("line", "int32", "first line of the function"),
    ),
)

NODES = Table(
    "nodes",
    "one statement or one site in a function: where control can be, and where it may go from there",
    (
        Column("function", "int32", "the function, a row of `functions`"),
        Column("node", "int32", "number of the node in its function: 0 is where it is entered, 1 where it is left"),
        Column("line", "int32", "first line of the statement; 0 for a site, and where no debugger stops"),
        Column("end_line", "int32", "last line of the statement, of a compound one of its header"),
        Column("probe", "int32", "the site that records here; null for a statement", nullable=True),
        Column("calls", "list<string>", "last names of what the statement calls; `*`: what a loop iterates over"),
        Column("next", "list<int32>", "the nodes that may follow"),
        Column("raises", "list<int32>", "the nodes that may follow an exception"),
        Column("again", "bool", "whether an exception that was caught is raised once more here"),
    ),
)

SOURCES = Table(
    "sources",
    "one source file of the engine, as it ran",
    (
        Column("source", "string", "SHA-256 of the text"),
        Column("text", "string", "the text; null where an earlier process of the run has it", nullable=True),
    ),
)

PATHS = Table(
    "paths",
    "one sequence of sites that control came by, in the order of first appearance",
    (
        Column("path", "int32", "number of the path in its process"),
        Column(
            "sites",
            "list<int32>",
            "the sites; behind one where an exception came by, the line where it was raised, negative",
        ),
    ),
)

FLOW = Table(
    "flow",
    "one or more turns in which control took the same path: of a loop over batches or epochs, or what is between",
    (
        _FIT,
        Column("thread", "dictionary", "name of the thread that ran it"),
        Column("span", "int64", "number of the next span that was opened, at its beginning"),
        Column("turns", "int64", "how many times in a row it was taken"),
        Column("path", "int32", "the path, a row of `paths`; null where records are missing", nullable=True),
        Column("clocks_ns", "list<int64>", "the moments of its sites of kind `line`"),
    ),
)

VALUES = Table(
    "values",
    "one value that the engine's code had: an argument of `fit`",
    (
        _FIT,
        Column("span", "int64", "the span of the function's call"),
        Column("site", "int32", "the place, a row of `sites`"),
        Column("key", "dictionary", "the name"),
        Column("value", "float64", "the value where it is a number", nullable=True),
        Column("text", "string", "what the value is where it is no number", nullable=True),
    ),
)

NOTES = Table(
    "notes",
    "one thing that the reader of the trace must know",
    (
        Column("kind", "dictionary", "`engine`, `fault`, `dropped`, `damaged` or `otlp`"),
        Column("message", "string", "what happened, and what is missing for it"),
    ),
)

TABLES: dict[str, Table] = {
    t.name: t
    for t in (
        FITS, SPANS, BATCHES, LOGS, SAMPLES, STOPS, PROCESSES, SITES, NOTES,
        VALUES, FUNCTIONS, NODES, SOURCES, PATHS, FLOW,
    )
}  # fmt: skip
