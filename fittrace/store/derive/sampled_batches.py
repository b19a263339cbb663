"""Sampled batches: which batches they are, and the rows of what TensorFlow told of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...schema.sampled_batches import BadSampling, parse
from ...schema.tables import STAGES
from ..journal.allowance import Allowance
from ..journal.batch_metadata import PackedMetadata, UnreadableMetadata
from ..parquet.arrow_columns import Values
from ..parquet.sink import Sink
from ..tensorflow.ops import Contents, Op
from .batches import latest_in_frame
from .records import Indices, Parsed
from .site_arrays import KIND, PHASE, SiteArrays
from .spans import Flags, SpanArrays


@dataclass(frozen=True)
class BatchFacts:
    """What sampling tells of each span that is a batch: nanoseconds, -1 where it was not sampled. `retraced` is None
    where nothing could tell it."""

    data_wait_ns: Indices
    compute_ns: Indices
    retraced: Flags | None


class SampledBatches:
    """The sampled batches of one journal, handed to `sink` as rows as they are derived.

    `waiting` holds the metadata of those that have not come yet, by number. `shift_ns` makes the process' clock Unix
    time. They unpack within the journal's `allowance`.
    """

    def __init__(self, waiting: dict[int, PackedMetadata], sink: Sink, shift_ns: int, allowance: Allowance) -> None:
        self._waiting = waiting
        self._allowance = allowance
        self._sink = sink
        self._shift = shift_ns
        self._seen: set[tuple[int, int, int]] = set()
        self.unreadable = 0
        """Batches whose metadata could not be read."""
        self.unsound = 0
        """Ops that were left out because they have no time that can be."""

    def of(self, spans: SpanArrays, parsed: Parsed, sites: SiteArrays, done: Flags) -> BatchFacts:
        """Emit the rows of the batches of which a record names the metadata, and tell what belongs to `batches`."""
        nothing = np.full(len(spans), -1)
        facts = BatchFacts(nothing, nothing.copy(), _retraced(spans, parsed, sites))
        is_batch = spans.phase == PHASE["batch"]
        told = np.flatnonzero(parsed.annotation_kind == KIND["sampled"])
        batches = _holders(spans, parsed, told, np.flatnonzero(is_batch))
        functions = np.flatnonzero((spans.phase == PHASE["function"]) & np.isin(spans.parent, batches))
        function_of = dict(zip(spans.parent[functions[::-1]].tolist(), functions[::-1].tolist(), strict=True))
        for loose, batch in zip(told.tolist(), batches.tolist(), strict=True):
            if batch < 0 or not done[batch]:
                continue
            metadata = self._waiting.pop(int(parsed.numbers[parsed.annotation_start[loose] + 1]), None)
            if metadata is None:
                continue
            try:
                contents = metadata.contents(self._allowance)
            except UnreadableMetadata:
                self.unreadable += 1
                continue
            facts.data_wait_ns[batch] = contents.data_wait_ns
            facts.compute_ns[batch] = contents.compute_ns
            self.unsound += contents.unsound
            self._seen.add((int(spans.epoch[batch]), int(spans.batch[batch]), int(spans.last[batch])))
            self._emit(spans, batch, function_of.get(batch, batch), metadata, contents)
        return facts

    def never_came(self, asked: str) -> list[str]:
        """The batches, named one by one in what the user `asked` for, of which nothing was told."""
        try:
            batches = parse(asked).batches
        except BadSampling:
            return []  # a journal that somebody has changed
        return [
            f"{epoch}:{begin}" if begin == end else f"{epoch}:{begin}-{end}"
            for epoch, begin, end in batches
            if not any(where == epoch and first <= end and last >= begin for where, first, last in self._seen)
        ]

    def _emit(self, spans: SpanArrays, batch: int, function: int, metadata: PackedMetadata, contents: Contents) -> None:
        place = {
            "fit": int(spans.fit[batch]),
            "stage": STAGES[spans.stage[batch]],
            "epoch": int(spans.epoch[batch]),
            "batch": int(spans.batch[batch]),
            "span": int(spans.number[function]),
        }
        row: dict[str, Any] = {
            **place,
            "format": metadata.format,
            "ops": len(contents.ops),
            **{f"{key}_ns": getattr(contents, f"{key}_ns") for key in ("data_wait", "compute", "host", "device")},
            "clock_ns": metadata.moments[0],
            "reference_ns": metadata.moments[1],
            "shift_ns": self._shift,
            "data": metadata.compressed,
        }
        self._sink.append("sampled_batches", {key: [value] for key, value in row.items()})
        for table, rows in (("ops", contents.ops), ("data_pipeline", contents.pipeline)):
            if rows:
                shared = {key: [value] * len(rows) for key, value in place.items()}
                self._sink.append(table, shared | _COLUMNS[table](rows, self._shift))


def _ran(rows: list[Op], shift_ns: int) -> dict[str, Values]:
    return {
        "name": [row.name for row in rows],
        "type": [row.type for row in rows],
        "device": [row.device for row in rows],
        "thread": [row.thread for row in rows],
        "start_ns": [row.start_ns + shift_ns for row in rows],
        "duration_ns": [row.duration_ns for row in rows],
        "self_ns": [row.self_ns for row in rows],
        "shapes": [row.shapes for row in rows],
    }


def _ops(rows: list[Op], shift_ns: int) -> dict[str, Values]:
    return {
        **_ran(rows, shift_ns),
        "kernel": [row.kernel for row in rows],
        "on_device": [row.on_device for row in rows],
        "scheduled_ns": [None if row.scheduled_ns is None else row.scheduled_ns + shift_ns for row in rows],
        "memory_bytes": [row.memory_bytes for row in rows],
    }


_COLUMNS = {"ops": _ops, "data_pipeline": _ran}


def _retraced(spans: SpanArrays, parsed: Parsed, sites: SiteArrays) -> Flags | None:
    """Which batches hold a `tf.function` that was traced in the batch's own function."""
    if not np.any(sites.kind == KIND["traced"]):
        return None
    parent = spans.parent
    in_batch = (parent >= 0) & (spans.phase == PHASE["function"])
    in_batch[in_batch] &= spans.phase[parent[in_batch]] == PHASE["batch"]
    told = np.flatnonzero(parsed.annotation_kind == KIND["traced"])
    functions = _holders(spans, parsed, told, np.flatnonzero(in_batch))
    retraced = np.zeros(len(spans), bool)
    retraced[parent[functions[functions >= 0]]] = True
    return retraced


def _holders(spans: SpanArrays, parsed: Parsed, told: Indices, candidates: Indices) -> Indices:
    """For each loose record of `told`, the span of `candidates` in its own frame that is open then; -1: none."""
    record, before = spans.record[candidates], parsed.annotation_before[told]
    place = latest_in_frame(parsed.frame[record], record, parsed.annotation_frame[told], before - 1, len(parsed.start))
    holder = np.append(candidates, -1)[place]
    closer = np.append(spans.closer, -1)[holder]
    return np.where((holder >= 0) & ((closer < 0) | (closer >= before)), holder, -1)
