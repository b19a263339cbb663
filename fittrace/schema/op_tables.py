"""The tables of sampled batches and of the ops that TensorFlow ran in them."""

from __future__ import annotations

from .table import BATCH, EPOCH, FIT, STAGE, Column, Table

_FUNCTION_SPAN = Column("span", "int64", "the span of the batch's `function` phase, in which it ran")

SAMPLED_BATCHES = Table(
    "sampled_batches",
    "one batch whose ops TensorFlow reported",
    (
        FIT,
        STAGE,
        EPOCH,
        BATCH,
        _FUNCTION_SPAN,
        Column("format", "dictionary", "`run_metadata` of a session, or `profile` of TensorFlow's profiler"),
        Column("ops", "int64", "rows of `ops`"),
        Column("data_wait_ns", "int64", "time in which an op waited for data and no other op ran"),
        Column("compute_ns", "int64", "time in which any other op ran"),
        Column("host_ns", "int64", "the part of it on the host's processor"),
        Column("device_ns", "int64", "the part of it on other devices; both may overlap"),
        Column("clock_ns", "int64", "time of the process' clock that aligns the clock of `data`"),
        Column("reference_ns", "int64", "the same time on the wall clock, or the process' clock at fittrace's event"),
        Column("shift_ns", "int64", "what to add to the process' clock for Unix time"),
        Column("data", "binary", "TensorFlow's report: a protobuf, `RunMetadata` or `Trace`, compressed by zlib"),
    ),
)

_RAN = (
    Column("device", "dictionary", "the device, as TensorFlow names it"),
    Column("thread", "dictionary", "thread, or stream of a device; null if unknown", nullable=True),
    Column("start_ns", "int64", "start"),
    Column("duration_ns", "int64", "duration"),
    Column("self_ns", "int64", "the duration without the ops inside it on its thread"),
)
_SHAPES = Column("shapes", "dictionary", "shapes of its outputs; null if unknown", nullable=True)

OPS = Table(
    "ops",
    "one op of a sampled batch",
    (
        FIT,
        STAGE,
        EPOCH,
        BATCH,
        _FUNCTION_SPAN,
        Column("name", "dictionary", "the op's name"),
        Column("type", "dictionary", "its type, such as `MatMul`; the kernel if it belongs to no op"),
        Column("kernel", "dictionary", "the kernel or copy that ran or was launched; null: none", nullable=True),
        Column("on_device", "bool", "whether a device ran it, and not the host's processor"),
        *_RAN,
        Column("scheduled_ns", "int64", "when it was ready to run; null if unknown", nullable=True),
        Column("memory_bytes", "int64", "memory that it allocated; null if unknown", nullable=True),
        _SHAPES,
    ),
)

DATA_PIPELINE = Table(
    "data_pipeline",
    "one element made by one stage of a `tf.data` pipeline while a sampled batch ran",
    (
        FIT,
        STAGE,
        EPOCH,
        BATCH,
        _FUNCTION_SPAN,
        Column("name", "dictionary", "the stage with those around it, such as `Iterator::Root::Prefetch::Map`"),
        Column("type", "dictionary", "the stage itself, such as `Map`"),
        *_RAN,
        _SHAPES,
    ),
)
