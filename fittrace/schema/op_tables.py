"""The tables of sampled batches: what TensorFlow ran in them."""

from __future__ import annotations

from .table import BATCH, EPOCH, FIT, STAGE, Column, Table

_FUNCTION_SPAN = Column("span", "int64", "the span of the batch's `function` phase, in which it ran")

SAMPLED_BATCHES = Table(
    "sampled_batches",
    "one batch of which TensorFlow told what ran in it",
    (
        FIT,
        STAGE,
        EPOCH,
        BATCH,
        _FUNCTION_SPAN,
        Column("format", "dictionary", "`run_metadata` of a session, or `profile` of TensorFlow's profiler"),
        Column("ops", "int64", "rows of `ops`"),
        Column("data_wait_ns", "int64", "time in which an op waited for data and no other was at work"),
        Column("compute_ns", "int64", "time in which any other op was at work"),
        Column("host_ns", "int64", "the part of it on the host's processor"),
        Column("device_ns", "int64", "the part of it on other devices; both may be at work at once"),
        Column("clock_ns", "int64", "moment of the process' clock that sets the clock of `data` right"),
        Column("reference_ns", "int64", "the same moment on the wall clock, or the process' clock at an event of ours"),
        Column("shift_ns", "int64", "what makes the process' clock Unix time"),
        Column("data", "binary", "what TensorFlow told: a protobuf, `RunMetadata` or `Trace`, compressed by zlib"),
    ),
)

_RAN = (
    Column("device", "dictionary", "the device, as TensorFlow names it"),
    Column("thread", "dictionary", "thread, or stream of a device; null where TensorFlow does not tell", nullable=True),
    Column("start_ns", "int64", "start"),
    Column("duration_ns", "int64", "duration"),
    Column("self_ns", "int64", "the duration without what ran inside it on its thread"),
)
_SHAPES = Column("shapes", "dictionary", "shapes of its outputs; null where TensorFlow does not tell", nullable=True)

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
        Column("type", "dictionary", "its type, such as `MatMul`; the kernel where a device ran it for no op"),
        Column("kernel", "dictionary", "the kernel or copy that ran, or was launched; null: none was", nullable=True),
        Column("on_device", "bool", "whether a device ran it, and not the host's processor"),
        *_RAN,
        Column("scheduled_ns", "int64", "when it could have begun; null where TensorFlow does not tell", nullable=True),
        Column("memory_bytes", "int64", "memory that it allocated; null where TensorFlow does not tell", nullable=True),
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
        Column("name", "dictionary", "the stage with those around it, `Iterator::Root::Prefetch::Map`"),
        Column("type", "dictionary", "the stage itself, `Map`"),
        *_RAN,
        _SHAPES,
    ),
)
