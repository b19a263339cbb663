"""The ops that TensorFlow ran in the sampled batches of a fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from ...store.tensorflow.ops import WAITS
from ...tables import TraceTables
from ...tables.database import row_dicts
from ...tables.sql_literals import literal
from ...views.fit_sentences import sampled, sampled_batches
from ...views.shown_fits import selecting
from ...views.summary_figures import FitSummary, slowest_ops

MOST_TABLE_ROWS = 50
"""Ops in the table. Nobody reads on below: these are the slowest."""
MOST_BATCHES = 8
"""Sampled batches that have their ops in the page. With `MOST_OPS` each, they take some 250 kB before compression."""
MOST_OPS = 2_000
"""Ops of one batch, the longest ones. A screen has no more pixels for them."""


class OpKind(IntEnum):
    """What an op is to the timeline. The style sheet has a colour for each."""

    HOST = 0
    """The host's processor ran it."""
    DEVICE = 1
    """Another device ran it."""
    WAIT = 2
    """It waited for data."""
    PIPELINE = 3
    """It is a stage of the data pipeline, which runs beside the batch."""


@dataclass(frozen=True)
class OpRow:
    """An op, summed up over the sampled batches. Times are nanoseconds.

    - `name`, `type`: its name and TensorFlow's type of it.
    - `device`: the device that ran it, or `host`.
    - `count`: how often it ran.
    - `self`: the time in it, without the ops inside it.
    - `mean`: the mean duration.
    - `share`: `self` as a share of the time of the backend's function.
    """

    name: str
    type: str
    device: str
    count: int
    self: float
    mean: float
    share: float


@dataclass(frozen=True)
class BatchOps:
    """The ops of one batch. The arrays have an item for each, in order of start.

    - `lane`: an index of `SampledOps.lanes`.
    - `kind`: an `OpKind`.
    - `start`, `duration`: nanoseconds; `start` counts from the start of the backend's function.
    - `name`: an index of `SampledOps.names`.
    """

    lane: npt.NDArray[np.uint16]
    kind: npt.NDArray[np.uint8]
    start: npt.NDArray[np.float32]
    duration: npt.NDArray[np.float32]
    name: npt.NDArray[np.int32]


@dataclass(frozen=True)
class SampledBatch:
    """A sampled batch.

    - `ordinal`: its ordinal in the fit.
    - `label`: its stage, epoch and number.
    - `function_ns`: how long the backend's function took.
    - `count`: how many ops ran in it; `ops` may have fewer.
    - `ops`: its ops.
    """

    ordinal: int
    label: str
    function_ns: int
    count: int
    ops: BatchOps


@dataclass(frozen=True)
class SampledOps:
    """The ops of a fit's sampled batches.

    - `summary`: which batches were sampled, and how they spent their time, in sentences.
    - `table`: the slowest ops.
    - `batches`: some sampled batches, in order.
    - `lanes`: devices and threads; the threads of a pool are one.
    - `names`: names and types of ops.
    - `limit`: what the page lacks, in a sentence; None if nothing.
    """

    summary: list[str]
    table: list[OpRow]
    batches: list[SampledBatch]
    lanes: list[str]
    names: list[str]
    limit: str | None


def sampled_ops(trace: TraceTables, fit: FitSummary) -> SampledOps | None:
    """The ops of a fit's sampled batches. None if no batch was sampled."""
    if fit.sampled is None:
        return None
    chosen = selecting(fit.facts)
    function_ns = float(fit.sampled["function"])
    rows = slowest_ops(trace, chosen, MOST_TABLE_ROWS)
    all_batches = row_dicts(trace.relation(_BATCHES.format(chosen=chosen)))
    lanes: dict[str, int] = {}
    names: dict[str, int] = {}
    shown = [_sampled_batch(trace, chosen, batch, lanes, names) for batch in _spread(all_batches)]
    return SampledOps(
        summary=[f"In {sampled_batches(fit.sampled)}:", sampled(fit.sampled)],
        table=[_op_row(row, function_ns) for row in rows],
        batches=shown,
        lanes=list(lanes),
        names=list(names),
        limit=_limit(all_batches, shown),
    )


def _op_row(row: dict[str, Any], function_ns: float) -> OpRow:
    device = row["device"].rpartition("/device:")[2] if row["device"] else "host"
    self_ns = float(row["self"])
    share = self_ns / function_ns if function_ns else 0.0
    return OpRow(row["name"], row["type"], device, row["count"], self_ns, float(row["mean"]), share)


def _spread(batches: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most `MOST_BATCHES` of `batches`: the first, the last, and others at even distances."""
    if len(batches) <= MOST_BATCHES:
        return list(batches)
    return [batches[index] for index in np.linspace(0, len(batches) - 1, MOST_BATCHES).astype(int)]


def _sampled_batch(
    trace: TraceTables, chosen: str, batch: dict[str, Any], lanes: dict[str, int], names: dict[str, int]
) -> SampledBatch:
    rows = row_dicts(trace.relation(_OPS.format(chosen=chosen, span=literal(batch["span"]), most=MOST_OPS)))
    kinds = [_kind(row) for row in rows]
    ops = BatchOps(
        lane=np.array([lanes.setdefault(_lane(row, kind), len(lanes)) for row, kind in zip(rows, kinds)], np.uint16),
        kind=np.array(kinds, np.uint8),
        start=np.array([row["start_ns"] - batch["start_ns"] for row in rows], np.float32),
        duration=np.array([row["duration_ns"] for row in rows], np.float32),
        name=np.array([names.setdefault(_op_name(row), len(names)) for row in rows], np.int32),
    )
    epoch = "" if batch["epoch"] is None else f"epoch {batch['epoch']}, "
    label = f"{epoch}{'' if batch['stage'] == 'train' else batch['stage'] + ' '}batch {batch['batch']}"
    count = rows[0]["count"] if rows else 0
    return SampledBatch(batch["ordinal"], label, batch["duration_ns"], count, ops)


def _kind(row: dict[str, Any]) -> OpKind:
    if row["in_pipeline"]:
        return OpKind.PIPELINE
    if row["on_device"]:
        return OpKind.DEVICE
    return OpKind.WAIT if row["type"] in WAITS else OpKind.HOST


def _lane(row: dict[str, Any], kind: OpKind) -> str:
    device = re.sub(r".*/(device|host):", "", str(row["device"]))
    # Threads of a pool, which have the same name before a number, share a lane.
    thread = re.sub(r"[/_-]*-?\d+$", "", row["thread"] or "")
    return "data pipeline" if kind is OpKind.PIPELINE else f"{device} {thread}".strip()


def _op_name(row: dict[str, Any]) -> str:
    return row["name"] if row["type"] in row["name"] else f"{row['name']} ({row['type']})"


def _limit(batches: Sequence[dict[str, Any]], shown: Sequence[SampledBatch]) -> str | None:
    sentences = []
    if len(shown) < len(batches):
        sentences.append(f"{len(shown)} of {len(batches):,} sampled batches are shown.")
    if any(batch.count > MOST_OPS for batch in shown):
        sentences.append(f"Of a batch, the {MOST_OPS:,} longest ops are shown.")
    return " ".join(sentences) or None


# The batch of the function's span is the one that it lies in.
_BATCHES = """
    WITH numbered AS (
        SELECT stage, epoch, batch, start_ns, row_number() OVER (ORDER BY start_ns, span) - 1 AS ordinal
        FROM batches WHERE {chosen}
    )
    SELECT s.span, max(n.ordinal) AS ordinal,
        any_value(f.start_ns) AS start_ns, any_value(f.duration_ns) AS duration_ns,
        any_value(s.stage) AS stage, any_value(s.epoch) AS epoch, any_value(s.batch) AS batch
    FROM (SELECT * FROM sampled_batches WHERE {chosen}) s
    JOIN (SELECT * FROM spans WHERE {chosen}) f USING (span)
    JOIN numbered n ON n.stage = s.stage AND n.epoch IS NOT DISTINCT FROM s.epoch AND n.batch = s.batch
        AND n.start_ns <= f.start_ns
    GROUP BY s.span ORDER BY ordinal
"""

# The longest ops, with the number of all.
_OPS = """
    SELECT * FROM (
        SELECT *, count(*) OVER () AS count FROM (
            SELECT name, type, device, thread, start_ns, duration_ns, on_device, false AS in_pipeline
            FROM ops WHERE {chosen} AND span = {span}
            UNION ALL
            SELECT name, type, device, thread, start_ns, duration_ns, false AS on_device, true AS in_pipeline
            FROM data_pipeline WHERE {chosen} AND span = {span}
        ) ORDER BY duration_ns DESC, start_ns LIMIT {most}
    ) ORDER BY start_ns, duration_ns DESC
"""
