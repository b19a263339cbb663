"""Emitting: rows of the tables, from what was derived of one window."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa

from ...schema.journal_format import ABSENT
from ...schema.limits import BATCH_CELLS, BATCH_KEYS, LATE_LOGS
from ...schema.tables import BATCH_PHASES, PHASES, STAGES, STATUSES
from ..journal.definitions import Definition, KnownDefinitions
from ..journal.sample_orders import SampleRuns
from ..parquet.arrow_columns import Values
from ..parquet.sink import Sink
from .batches import BatchKey, Floats, PendingBatches, absent, key_of, sizes_of
from .end_position import EndPosition
from .fits import DerivedFit
from .logs import BatchLogs, LogRows
from .records import Indices, Parsed
from .sampled_batches import BatchFacts
from .site_arrays import PHASE, SiteArrays
from .spans import Flags, SpanArrays, nested_in_phase
from .stops import Stops

_METHODS = {"train": "fit", "test": "evaluate", "predict": "predict"}
_STATUSES = list(STATUSES)
_UNFINISHED = _STATUSES.index("unfinished")
_STOOD = ("at_span", "at_stage", "at_epoch", "at_batch", "at_phase", "at_callback", "at_hook")
"""The columns of `fits` that tell where a fit stood."""


class Emitter:
    """Hands rows to `sink`. `shift_ns` makes the process' clock Unix time.

    Batches wait two windows, since the hooks at their end may run on another thread.
    """

    def __init__(self, definitions: KnownDefinitions, sink: Sink, shift_ns: int) -> None:
        self._definitions = definitions
        self._sink = sink
        self._shift = shift_ns
        self._fresh: list[PendingBatches] = []
        self._waiting: list[list[PendingBatches]] = [[], []]
        self._late: dict[BatchKey, dict[str, float]] = {}
        self._threads: dict[int, str] = {}
        self._keys: set[str] = set()

    def spans(
        self, spans: SpanArrays, sites: SiteArrays, hooks: list[str], thread: int, children: Indices, done: Flags
    ) -> None:
        """Rows of `spans`."""
        index = np.flatnonzero(done)
        if not len(index):
            return
        some = spans.take(index)
        parent = np.where(some.parent >= 0, spans.number[some.parent], -1)
        same_fit = (some.parent >= 0) & (spans.fit[some.parent] == some.fit)
        classes = [one["name"] if one else "(lost)" for one in self._definitions.classes] + ["(lost)"]
        some.callback = np.minimum(some.callback, len(classes) - 1)
        name_codes, names = _names(some, sites.names, hooks, classes)
        self._sink.append(
            "spans",
            {
                "fit": some.fit,
                "span": some.number,
                "parent": _nullable(np.where(same_fit, parent, -1)),
                "stage": (some.stage, list(STAGES)),
                "epoch": _nullable(some.epoch),
                "batch": _nullable(some.batch),
                "phase": (some.phase, list(PHASES)),
                "name": (name_codes, names),
                "start_ns": some.start + self._shift,
                "duration_ns": some.end - some.start,
                "children_ns": children[index],
                "thread": (np.full(len(index), 0), [self._thread(thread)]),
                "status": (_status(some), _STATUSES),
                "callback": (some.callback, classes),
                "position": _nullable(some.position),
                "hook": (some.hook, hooks),
                "site": some.site,
                "nested": nested_in_phase(spans)[index],
            },
        )

    def logs(self, spans: SpanArrays, rows: LogRows, hooks: list[str]) -> None:
        """Rows of `logs`."""
        if not rows.key:
            return
        counts = [len(piece) for piece in rows.frame_span]
        frame_span = np.concatenate(rows.frame_span)
        some = spans.take(frame_span)
        numbered = {key: number for number, key in enumerate(dict.fromkeys(rows.key))}
        keys, codes = list(numbered), np.array([numbered[key] for key in rows.key])
        value = np.concatenate(rows.value)
        no_number = np.repeat([text is not None or gone for text, gone in zip(rows.text, rows.removed)], counts)
        columns: dict[str, Values] = {
            "fit": some.fit,
            "stage": (some.stage, list(STAGES)),
            "epoch": _nullable(some.epoch),
            "batch": _nullable(some.batch),
            "hook": (some.hook, hooks),
            "span": some.number,
            "position": np.concatenate(rows.position),
            "key": (np.repeat(codes, counts), keys),
            "value": np.ma.array(value, mask=no_number),
            "text": [text for text, count in zip(rows.text, counts) for _ in range(count)],
            "removed": np.repeat(rows.removed, counts),
        }
        order = np.argsort(some.start, kind="stable")
        self._sink.append("logs", {name: _ordered(column, order) for name, column in columns.items()})

    def batches(
        self,
        spans: SpanArrays,
        parsed: Parsed,
        sums: Indices,
        batch_of: Indices,
        logs: BatchLogs,
        facts: BatchFacts,
        done: Flags,
    ) -> None:
        """Rows of `batches`, which wait for their logs until the third `flush` from now."""
        index = np.flatnonzero(done & (spans.phase == PHASE["batch"]))
        some = spans.take(index)
        row = np.full(len(spans) + 1, -1)
        row[index] = np.arange(len(index))
        columns: dict[str, Values] = {
            "fit": some.fit,
            "stage": (some.stage, list(STAGES)),
            "epoch": _nullable(some.epoch),
            "batch": _nullable(some.batch),
            "last_batch": some.last,
            "size": _nullable(sizes_of(some, parsed)),
            "first_sample": _nullable(some.first),
            "span": some.number,
            "start_ns": some.start + self._shift,
            "duration_ns": some.end - some.start,
            **{f"{phase}_ns": sums[index, place] for place, phase in enumerate(BATCH_PHASES)},
            "data_wait_ns": _nullable(facts.data_wait_ns[index]),
            "compute_ns": _nullable(facts.compute_ns[index]),
            "retraced": [None] * len(index) if facts.retraced is None else facts.retraced[index],
            "status": (_status(some), _STATUSES),
        }
        values: dict[str, Floats] = {}
        for key, pieces in logs.keys.items():
            for frame_span, value in pieces:
                batch = batch_of[frame_span]
                here = batch >= 0
                if np.any(here) and self._has_column(key, values, len(index)):
                    column = values.setdefault(key, absent(len(index)))
                    column[row[batch[here]]] = value[here]
                for late in np.flatnonzero(~here):
                    place = key_of(spans, int(frame_span[late]), spans.batch)
                    if place in self._late or len(self._late) < LATE_LOGS:
                        self._late.setdefault(place, {})[key] = float(value[late])
        if len(index):
            self._fresh.append(PendingBatches(columns, values, some))

    def _has_column(self, key: str, others: Collection[str], rows: int) -> bool:
        """Whether a key of the logs may have a column of `batches`, beside the `others` that so many rows have."""
        if key not in others and (len(others) + 1) * rows > BATCH_CELLS:
            return False
        if key not in self._keys and len(self._keys) < BATCH_KEYS:
            self._keys.add(key)
        return key in self._keys

    def samples(self, spans: SpanArrays, batch: int, stretches: SampleRuns) -> None:
        """Rows of `samples` for the epoch that the span at `batch` is the first batch of."""
        rows = len(stretches.position)
        some = spans.take(np.full(rows, batch))
        self._sink.append(
            "samples",
            {
                "fit": some.fit,
                "stage": (some.stage, list(STAGES)),
                "epoch": _nullable(some.epoch),
                "position": stretches.position,
                "sample": _nullable(stretches.sample),
                "count": stretches.count,
            },
        )

    def stops(self, spans: SpanArrays, stops: Stops, hooks: list[str]) -> None:
        """Rows of `stops`."""
        if not len(stops.span):
            return
        some = spans.take(stops.span)
        classes = [one["name"] if one else "(lost)" for one in self._definitions.classes] + ["(lost)"]
        self._sink.append(
            "stops",
            {
                "fit": some.fit,
                "stage": (some.stage, list(STAGES)),
                "epoch": _nullable(some.epoch),
                "batch": _nullable(some.batch),
                "value": stops.value,
                "hook": (some.hook, hooks),
                "callback": (np.minimum(some.callback, len(classes) - 1), classes),
                "position": some.position,
                "span": some.number,
            },
        )

    def flush(self, final: bool = False) -> None:
        """Hand over the batches that have waited; `final` those of this window too."""
        self._waiting.append(self._fresh)
        self._fresh = []
        while len(self._waiting) > (0 if final else 2):
            for batches in self._waiting.pop(0):
                if self._late:
                    batches.take_late(self._late)
                self._sink.append("batches", batches.whole())

    def flow(
        self, thread: int, fit: Indices, span: Indices, turns: Indices, path: Indices, clocks: Sequence[Indices]
    ) -> None:
        """Rows of `flow`."""
        offsets = np.append(0, np.cumsum([len(one) for one in clocks])).astype(np.int32)
        moments = np.concatenate([*clocks, np.empty(0, np.int64)]) + self._shift
        self._sink.append(
            "flow",
            {
                "fit": fit,
                "thread": (np.full(len(fit), 0), [self._thread(thread)]),
                "span": span,
                "turns": turns,
                "path": _nullable(path),
                "clocks_ns": pa.ListArray.from_arrays(offsets, pa.array(moments)),
            },
        )

    def paths(self, path: Indices, sites: pa.ListArray) -> None:
        """Rows of `paths`."""
        self._sink.append("paths", {"path": path, "sites": sites})

    def values(
        self, spans: SpanArrays, owner: Indices, sites: Indices, rows: Sequence[tuple[str, float | str]]
    ) -> None:
        """Rows of `values`: keys and values of the spans at `owner`."""
        if not rows:
            return
        some = spans.take(owner)
        self._sink.append(
            "values",
            {
                "fit": some.fit,
                "span": some.number,
                "site": sites,
                "key": [key for key, _ in rows],
                "value": [value if isinstance(value, float) else None for _, value in rows],
                "text": [value if isinstance(value, str) else None for _, value in rows],
            },
        )

    def fits(
        self,
        spans: SpanArrays,
        parsed: Parsed,
        ended: Sequence[tuple[int, DerivedFit, EndPosition | None]],
        hooks: list[str],
    ) -> None:
        """Rows of `fits`: of each the index of the span that is its root, and where it stood if it did not end well."""
        if not ended:
            return
        roots, fits = [root for root, *_ in ended], [fit for _, fit, _ in ended]
        some = spans.take(np.array(roots))
        status = _status(some).tolist()
        self._sink.append(
            "fits",
            {
                "fit": [fit.number for fit in fits],
                "method": [_METHODS[STAGES[fit.stage]] for fit in fits],
                "engine": [fit.engine for fit in fits],
                "engine_version": [self._definitions.engines.get(fit.engine, "unknown") for fit in fits],
                "start_ns": some.start + self._shift,
                "duration_ns": some.end - some.start,
                "epochs": [fit.epochs for fit in fits],
                "batches": [fit.batches for fit in fits],
                "status": [_STATUSES[code] for code in status],
                "error": [self._error(spans, parsed, root) for root in roots],
                "thread": [self._thread(fit.thread) for fit in fits],
                "span": [fit.root for fit in fits],
                "parent_fit": [fit.parent_fit for fit in fits],
                "parent_span": [fit.parent_span for fit in fits],
                **self._standing([at if code else None for (*_, at), code in zip(ended, status)], hooks),
            },
        )

    def _error(self, spans: SpanArrays, parsed: Parsed, root: int) -> str | None:
        """What left the fit whose root is the span at `root`."""
        if not spans.failed[root]:
            return None
        text = int(parsed.numbers[parsed.start[spans.closer[root]] + 2])
        texts = self._definitions.texts
        known = texts[text] if text != ABSENT and text < len(texts) else None
        return str(known["value"]) if known is not None else "unknown"

    def _standing(self, end_positions: Sequence[EndPosition | None], hooks: list[str]) -> dict[str, Values]:
        """The columns that tell where each fit stood."""
        rows = [None if one is None else self._stood(one.span, hooks) for one in end_positions]
        return {name: [None if row is None else row[name] for row in rows] for name in _STOOD}

    def _stood(self, span: SpanArrays, hooks: list[str]) -> dict[str, str | int | None]:
        """Where a fit stood: in this span, an array of one."""

        def named(code: int, names: Sequence[str]) -> str | None:
            return names[code] if code >= 0 else None

        def counted(number: int) -> int | None:
            return number if number >= 0 else None

        return {
            "at_span": int(span.number[0]),
            "at_stage": named(int(span.stage[0]), STAGES),
            "at_epoch": counted(int(span.epoch[0])),
            "at_batch": counted(int(span.batch[0])),
            "at_phase": named(int(span.phase[0]), list(PHASES)),
            "at_callback": self._class(int(span.callback[0])),
            "at_hook": named(int(span.hook[0]), hooks),
        }

    def _class(self, number: int) -> str | None:
        """The name of a callback's class; None where there is no callback."""
        if number < 0:
            return None
        known = self._definitions.classes[number] if number < len(self._definitions.classes) else None
        return str(known["name"]) if known else "(lost)"

    def _thread(self, number: int) -> str:
        """The name of a thread; threads that have one name are told apart."""
        if number in self._threads:
            return self._threads[number]
        threads = self._definitions.threads
        if number >= len(threads):
            return f"thread {number}"
        known = threads[number]
        name = _thread_name(known)
        if any(_thread_name(other) == name for other in threads[:number]):
            name = f"{name} ({number})"
        if known is not None:
            self._threads[number] = name
        return name


def _thread_name(thread: Definition | None) -> str:
    return str(thread["name"]) if thread else "(lost)"


def _nullable(values: Indices) -> np.ma.MaskedArray[tuple[int, ...], np.dtype[np.int64]]:
    return np.ma.array(values, mask=values < 0)


def _status(spans: SpanArrays) -> Indices:
    return np.where(spans.closer < 0, _UNFINISHED, spans.failed.astype(np.int64))


def _names(spans: SpanArrays, sites: list[str], hooks: list[str], classes: list[str]) -> tuple[Indices, list[str]]:
    """The name of each span: the site's, and of a callback's hook its class and the hook."""
    width = max(len(sites), len(hooks), 1)
    is_hook = spans.callback >= 0
    code = np.where(is_hook, (spans.callback + 1) * width + spans.hook, spans.name)
    found, place = np.unique(code, return_inverse=True)
    names = []
    for one in found.tolist():
        callback, name = divmod(one, width)
        known = classes[callback - 1] if callback <= len(classes) else "(lost)"
        names.append(f"{known}.{hooks[name]}" if callback else sites[name])
    return place, names


def _ordered(column: Values, order: Indices) -> Values:
    if isinstance(column, tuple):
        return np.asarray(column[0])[order], column[1]
    return column[order] if isinstance(column, np.ndarray) else [column[place] for place in order]
