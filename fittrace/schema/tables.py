"""The tables of a trace, column by column, as Parquet stores them.

Each table is a folder of hive partitions: `<run>/<table>/process=<n>/part-<k>-<crc32>.parquet`. A process of a run only
writes its own partition. So any Parquet reader can read the folders of many runs and machines as one set of tables.

Times are Unix nanoseconds; durations are nanoseconds. `docs/schema.md` is generated from `TABLES`.
"""

from __future__ import annotations

from .flow_tables import FLOW, FUNCTIONS, NODES, PATHS, SITES, SOURCES
from .op_tables import DATA_PIPELINE, OPS, SAMPLED_BATCHES
from .table import BATCH, EPOCH, FIT, STAGE, Column, Table

PHASES: dict[str, str] = {
    "fit": "the call of `fit`, and its time outside of all other phases",
    "evaluate": "the call of `evaluate`, alone or as the validation of a fit",
    "predict": "the call of `predict`",
    "prepare": "checking arguments, making data adapters, `validation_split`, making the train and test functions",
    "configure_callbacks": "`CallbackList(...)`: `History`, `ProgbarLogger`, `set_model`, `set_params`",
    "epoch": "one turn of the epoch loop",
    "shuffle": "shuffling the sample order",
    "make_batches": "cutting the data into batches, making the iterator over them",
    "batch": "one turn of the batch loop",
    "slice": "fetching the next batch's data in Python; also the last turn of a loop, which finds no data",
    "to_dense": "turning sparse inputs dense",
    "function": "the backend's call: `train_function`, `test_function`, `predict_function`, `Function._call`",
    "logs": "turning what the function returned into plain logs",
    "hooks": "`CallbackList.on_*`, and each callback's `on_*` in it",
    "validation": "the validation of a fit",
    "stop": "leaving the fit: finalising variables, dropping iterators",
}
"""The phases, with their meanings. There are no others."""

BATCH_PHASES: tuple[str, ...] = ("slice", "to_dense", "function", "logs", "hooks")
"""The phases inside a batch. `batches` has a column `<phase>_ns` for each."""

COUNTS_AS: dict[str, str] = {**{phase: phase for phase in BATCH_PHASES}, "make_batches": "slice"}
"""The phase of a batch to which a span's time counts, by the span's own phase.

`make_batches` is there because some engines make the iterator over the batches while they fetch the first one.
"""

STAGES: tuple[str, ...] = ("train", "test", "predict")
"""The stages. `test` is that of `evaluate` and of validations."""

OWN_STAGE: dict[str, str] = {"fit": "train", "evaluate": "test", "predict": "predict"}
"""The stage of each method's own batches. In another stage, a fit is in its validation."""

STATUSES: dict[str, str] = {
    "ok": "it returned",
    "error": "an exception left it",
    "unfinished": "it was still open when the recording ended",
}
"""The statuses of fits, spans and batches, with their meanings."""

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
        Column("ending", "string", "`closed` by the process itself, `cut` if it died, `running` if it still runs"),
        Column("dropped_detail", "int64", "records of inner phases that were dropped because the disk was too slow"),
        Column("dropped_batches", "int64", "records of batches, hooks and logs that were dropped for the same reason"),
        Column("damaged_bytes", "int64", "bytes of its journal that could not be read"),
    ),
)

FITS = Table(
    "fits",
    "one call of `fit`, or of `evaluate` or `predict` outside a fit's own validation",
    (
        FIT,
        Column("method", "dictionary", "`fit`, `evaluate` or `predict`"),
        Column("engine", "dictionary", "the engine"),
        Column("engine_version", "dictionary", "version of the engine's package"),
        Column("start_ns", "int64", "start"),
        Column("duration_ns", "int64", "duration"),
        Column("epochs", "int64", "epochs begun"),
        Column("batches", "int64", "batches begun, of the fit's own stage, without a last turn that finds no data"),
        Column("status", "dictionary", "`ok`, `error` or `unfinished`"),
        Column("error", "string", "type and message of the exception that left it", nullable=True),
        Column("thread", "dictionary", "name of the thread that called it"),
        Column("span", "int64", "its root span"),
        Column("parent_fit", "int32", "the fit inside whose hook it was called", nullable=True),
        Column("parent_span", "int64", "the span of that fit in which it was called", nullable=True),
        Column(
            "at_span",
            "int64",
            "the innermost open span when an exception left it or the recording ended; null if it returned. The next "
            "columns are of that span",
            nullable=True,
        ),
        Column("at_stage", "dictionary", "its stage", nullable=True),
        Column("at_epoch", "int64", "its epoch", nullable=True),
        Column("at_batch", "int64", "its batch", nullable=True),
        Column("at_phase", "dictionary", "its phase", nullable=True),
        Column("at_callback", "dictionary", "class name of its callback; null if it is no hook call", nullable=True),
        Column("at_hook", "dictionary", "its hook; null outside hooks", nullable=True),
        Column(
            "caller_file",
            "dictionary",
            "the file of the program that called it; if no such file is around the call, another one",
            nullable=True,
        ),
        Column("caller_line", "int64", "the line of the call; on Python 3.7 that of its last argument", nullable=True),
        Column("caller_function", "dictionary", "the function around it, or `<module>`", nullable=True),
    ),
)

SPANS = Table(
    "spans",
    "one timed interval of the engine, in order of start within a thread",
    (
        FIT,
        Column("span", "int64", "number of the span, unique in its process; lower than those of its children"),
        Column(
            "parent",
            "int64",
            "the span around it; null for a fit's root and for the outermost on another thread",
            nullable=True,
        ),
        STAGE,
        EPOCH,
        BATCH,
        Column("phase", "dictionary", "one of the closed set of phases"),
        Column("name", "dictionary", "the engine's function, or `Callback.hook`"),
        Column("start_ns", "int64", "start"),
        Column("duration_ns", "int64", "duration"),
        Column(
            "children_ns",
            "int64",
            "the part of the duration in child spans; on other threads than the fit's, all of it",
        ),
        Column("thread", "dictionary", "name of the thread that ran it"),
        Column("status", "dictionary", "`ok`, `error` or `unfinished`"),
        Column("callback", "dictionary", "class name of the callback; null if the span is no hook call", nullable=True),
        Column("position", "int32", "index of the callback in the callback list", nullable=True),
        Column("hook", "dictionary", "`on_train_begin`, ...; null outside hooks", nullable=True),
        Column("site", "int32", "the site that opened it, a row of `sites`"),
        Column(
            "nested",
            "bool",
            "whether a span around it in its fit has the same phase; sums and counts of a phase leave it out",
            nullable=True,
        ),
    ),
)

BATCHES = Table(
    "batches",
    "one turn of a batch loop that had data; `logs.<key>` columns follow, one for each numeric key of its end's logs",
    (
        FIT,
        STAGE,
        EPOCH,
        BATCH,
        Column("last_batch", "int64", "last batch number of the step: `batch`, or more with `steps_per_execution`"),
        Column("size", "int64", "samples in it; null if unknown", nullable=True),
        Column(
            "first_sample",
            "int64",
            "position of its first sample in the epoch's order (`samples`); null if unknown",
            nullable=True,
        ),
        Column("span", "int64", "its span"),
        Column("start_ns", "int64", "start"),
        Column("duration_ns", "int64", "duration"),
        *[Column(phase + "_ns", "int64", "time in the `%s` phase" % phase) for phase in BATCH_PHASES],
        Column("data_wait_ns", "int64", "time in which ops only waited for data; null: not sampled", nullable=True),
        Column("compute_ns", "int64", "time in which ops computed; null: not sampled", nullable=True),
        Column(
            "retraced", "bool", "whether a `tf.function` was traced in it; null: the engine has none", nullable=True
        ),
        Column("status", "dictionary", "`ok`, `error` or `unfinished`"),
    ),
)

LOGS = Table(
    "logs",
    "one key of a logs dict when it changed: as the engine made it, or as a callback left it",
    (
        FIT,
        STAGE,
        EPOCH,
        BATCH,
        Column("hook", "dictionary", "the hook that got the dict"),
        Column("span", "int64", "the span of the `CallbackList.on_*` that passed it on"),
        Column("position", "int32", "-1: as the engine made it; else the index of the callback that left it so"),
        Column("key", "dictionary", "the key"),
        Column("value", "float64", "the value, if it is a number", nullable=True),
        Column("text", "string", "a text for the value, if it is no number; null if `removed`", nullable=True),
        Column("removed", "bool", "whether that callback removed the key"),
    ),
)

SAMPLES = Table(
    "samples",
    "a part of the order in which an epoch took its samples: `count` consecutive samples",
    (
        FIT,
        STAGE,
        EPOCH,
        Column("position", "int64", "position of its first sample in the order, from 0"),
        Column("sample", "int64", "index of that sample in the data; null if the order was not kept", nullable=True),
        Column("count", "int64", "how many samples: `sample`, `sample + 1`, ..."),
    ),
)

STOPS = Table(
    "stops",
    "one change of the model's `stop_training`",
    (
        FIT,
        STAGE,
        EPOCH,
        BATCH,
        Column("value", "dictionary", "the new value as Python writes it, such as `True`"),
        Column("hook", "dictionary", "the hook that changed it; if no hook did, the next hook"),
        Column("callback", "dictionary", "class name of the callback; null if no hook did it", nullable=True),
        Column("position", "int32", "index of the callback in the callback list; -1 if no hook did it"),
        Column("span", "int64", "the span of the hook; if no hook did it, of the next `CallbackList.on_*`"),
    ),
)

VALUES = Table(
    "values",
    "one value in the engine's code: an argument of `fit`, a setting of a callback or of `compile`, or, with "
    "`--values all`, the value of an assignment",
    (
        FIT,
        Column("span", "int64", "the innermost open span; of an argument, its function's call"),
        Column("site", "int32", "the site that recorded it, a row of `sites`"),
        Column(
            "key",
            "dictionary",
            "the name: of an argument, or such as `callbacks[0].monitor`, `callbacks[0].on_epoch_end.line` and "
            "`compile.loss`",
        ),
        Column("value", "float64", "the value, if it is a number", nullable=True),
        Column("text", "string", "a text for the value, if it is no number", nullable=True),
    ),
)

NOTES = Table(
    "notes",
    "one note to the reader of the trace",
    (
        Column("kind", "dictionary", "`engine`, `fault`, `dropped`, `damaged`, `journal`, `run_metadata` or `otlp`"),
        Column("message", "string", "what happened, and what is missing because of it"),
    ),
)

TABLES: dict[str, Table] = {
    t.name: t
    for t in (
        FITS, SPANS, BATCHES, LOGS, SAMPLES, STOPS, SAMPLED_BATCHES, OPS, DATA_PIPELINE, PROCESSES, SITES, NOTES,
        VALUES, FUNCTIONS, NODES, SOURCES, PATHS, FLOW,
    )
}  # fmt: skip
