"""Sampled batches: which batches they are, and the rows of TensorFlow's metadata for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...schema.batches_to_sample import BadSampling, parse
from ...schema.tables import STAGES
from ..journal.allowance import Allowance
from ..journal.batch_metadata import PackedMetadata, UnreadableMetadata
from ..parquet.arrow_columns import Values
from ..parquet.sink import Sink
from ..tensorflow.ops import Contents, Op
from .batches import latest_in_frame
from .records import Flags, Indices, Parsed
from .site_arrays import KIND, PHASE, SiteArrays
from .spans import SpanArrays


@dataclass(frozen=True)
class BatchFacts:
    """What sampling and tracing say of the batches among the spans of a window.

    - `data_wait_ns`, `compute_ns`: nanoseconds of each span, as in `Contents`; -1: it was not sampled.
    - `retraced`: whether a `tf.function` was traced in it; None: the engine does not record that.
    """

    data_wait_ns: Indices
    compute_ns: Indices
    retraced: Flags | None


class SampledBatches:
    """Makes the rows of the sampled batches of one journal.

    - `waiting`: the metadata that no record has named yet, by number. A derived batch takes its own out.
    - `sink`: takes the rows.
    - `shift_ns`: added to the process' clock, it gives Unix time.
    - `allowance`: how many bytes the metadata may unpack to.
    """

    def __init__(self, waiting: dict[int, PackedMetadata], sink: Sink, shift_ns: int, allowance: Allowance) -> None:
        self._waiting = waiting
        self._allowance = allowance
        self._sink = sink
        self._shift = shift_ns
        self._seen: set[tuple[int, int, int]] = set()
        self.unreadable = 0
        """How many batches have metadata that cannot be read."""
        self.unsound = 0
        """How many ops were left out because their times are impossible."""

    def of(self, spans: SpanArrays, parsed: Parsed, sites: SiteArrays, done: Flags) -> BatchFacts:
        """Append the rows of the sampled batches among the `done` spans. Returns what belongs into `batches`."""
        nothing = np.full(len(spans), -1)
        facts = BatchFacts(nothing, nothing.copy(), _retraced(spans, parsed, sites))
        is_batch = spans.phase == PHASE["batch"]
        named = np.flatnonzero(parsed.annotation_kind == KIND["sampled"])
        batches = _holders(spans, parsed, named, np.flatnonzero(is_batch))
        # Ops belong to the batch's first function, hence the reversed order: the first one stays in the dict.
        functions = np.flatnonzero((spans.phase == PHASE["function"]) & np.isin(spans.parent, batches))
        function_of = dict(zip(spans.parent[functions[::-1]].tolist(), functions[::-1].tolist(), strict=True))
        for annotation, batch in zip(named.tolist(), batches.tolist(), strict=True):
            if batch < 0 or not done[batch]:
                continue
            metadata = self._waiting.pop(int(parsed.numbers[parsed.annotation_start[annotation] + 1]), None)
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
        """The batches that the user asked for one by one, and of which there is no metadata.

        `asked` is the value of the option, such as `1:10-12`.
        """
        try:
            batches = parse(asked).batches
        except BadSampling:
            return []  # the option was checked when it was given, so the journal is damaged
        return [
            f"{epoch}:{begin}" if begin == end else f"{epoch}:{begin}-{end}"
            for epoch, begin, end in batches
            if not any(seen == epoch and first <= end and last >= begin for seen, first, last in self._seen)
        ]

    def _emit(self, spans: SpanArrays, batch: int, function: int, metadata: PackedMetadata, contents: Contents) -> None:
        batch_columns = {
            "fit": int(spans.fit[batch]),
            "stage": STAGES[spans.stage[batch]],
            "epoch": int(spans.epoch[batch]),
            "batch": int(spans.batch[batch]),
            "span": int(spans.number[function]),
        }
        row: dict[str, Any] = {
            **batch_columns,
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
                shared = {key: [value] * len(rows) for key, value in batch_columns.items()}
                self._sink.append(table, shared | _COLUMNS[table](rows, self._shift))


def _stage_columns(rows: list[Op], shift_ns: int) -> dict[str, Values]:
    """The columns of `data_pipeline`, which `ops` has too."""
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


def _op_columns(rows: list[Op], shift_ns: int) -> dict[str, Values]:
    """The columns of `ops`."""
    return {
        **_stage_columns(rows, shift_ns),
        "kernel": [row.kernel for row in rows],
        "on_device": [row.on_device for row in rows],
        "scheduled_ns": [None if row.scheduled_ns is None else row.scheduled_ns + shift_ns for row in rows],
        "memory_bytes": [row.memory_bytes for row in rows],
    }


_COLUMNS = {"ops": _op_columns, "data_pipeline": _stage_columns}


def _retraced(spans: SpanArrays, parsed: Parsed, sites: SiteArrays) -> Flags | None:
    """Whether a `tf.function` was traced in the function of each batch; None: the engine does not record that."""
    if not np.any(sites.kind == KIND["traced"]):
        return None
    parent = spans.parent
    in_batch = (parent >= 0) & (spans.phase == PHASE["function"])
    in_batch[in_batch] &= spans.phase[parent[in_batch]] == PHASE["batch"]
    traced = np.flatnonzero(parsed.annotation_kind == KIND["traced"])
    functions = _holders(spans, parsed, traced, np.flatnonzero(in_batch))
    retraced = np.zeros(len(spans), bool)
    retraced[parent[functions[functions >= 0]]] = True
    return retraced


def _holders(spans: SpanArrays, parsed: Parsed, annotations: Indices, candidates: Indices) -> Indices:
    """For each annotation, the latest span of its frame among `candidates`, if it is open then; -1: none.

    - `annotations`: their indices among the annotations.
    - `candidates`: indices of spans.
    """
    record, before = spans.record[candidates], parsed.annotation_before[annotations]
    frame = parsed.annotation_frame[annotations]
    latest = latest_in_frame(parsed.frame[record], record, frame, before - 1, len(parsed.start))
    holder = np.append(candidates, -1)[latest]
    closer = np.append(spans.closer, -1)[holder]
    return np.where((holder >= 0) & ((closer < 0) | (closer >= before)), holder, -1)
