"""Emitting the rows of the tables, from what is derived of one window."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa

from ...schema.caller_keys import CALLER_FILE, CALLER_FUNCTION, CALLER_LINE
from ...schema.limits import BATCH_CELLS, BATCH_KEYS, LATE_LOGS, LONGEST_PATH
from ...schema.tables import BATCH_PHASES, PHASES, STAGES, STATUSES
from ..journal.definitions import LOST, Definition, KnownDefinitions
from ..journal.sample_orders import SampleRuns
from ..parquet.arrow_columns import Values
from ..parquet.sink import Sink
from .batches import BatchKey, Floats, PendingBatches, absent, key_of, sizes_of
from .end_position import EndPosition
from .fits import DerivedFit
from .logs import BatchLogs, LogRows
from .records import Flags, Indices, Parsed
from .sampled_batches import BatchFacts
from .site_arrays import PHASE, SiteArrays
from .spans import SpanArrays, nested_in_phase
from .stops import Stops

_METHODS = {"train": "fit", "test": "evaluate", "predict": "predict"}
_STATUSES = list(STATUSES)
_UNFINISHED = _STATUSES.index("unfinished")
_END_COLUMNS = ("at_span", "at_stage", "at_epoch", "at_batch", "at_phase", "at_callback", "at_hook")
"""The columns of `fits` that say where a fit ended that did not end well."""


class Emitter:
    """Makes rows and hands them to `sink`.

    Batches wait for two windows, since the hooks at their end may run on another thread.

    - `definitions`: what the journal has defined so far.
    - `sink`: takes the rows.
    - `shift_ns`: added to the process' clock, it gives Unix time.

    In all methods, an array of flags or numbers has one entry for each of the `spans`, unless it says otherwise.
    `hooks` are the names that the codes in `spans.hook` stand for.
    """

    def __init__(self, definitions: KnownDefinitions, sink: Sink, shift_ns: int) -> None:
        self._definitions = definitions
        self._sink = sink
        self._shift = shift_ns
        self._new_batches: list[PendingBatches] = []
        self._waiting: list[list[PendingBatches]] = [[], []]  # by window, the older one first
        self._late_logs: dict[BatchKey, dict[str, float]] = {}
        self._thread_names: dict[int, str] = {}
        self._log_columns: set[str] = set()

    def spans(
        self, spans: SpanArrays, sites: SiteArrays, hooks: list[str], thread: int, children: Indices, done: Flags
    ) -> None:
        """Append rows of `spans`.

        - `spans`: the spans of a window of `thread`.
        - `sites`: all sites.
        - `children`: nanoseconds in each span's children.
        - `done`: which spans to append.
        """
        index = np.flatnonzero(done)
        if not len(index):
            return
        chosen = spans.take(index)
        parent = np.where(chosen.parent >= 0, spans.number[chosen.parent], -1)
        same_fit = (chosen.parent >= 0) & (spans.fit[chosen.parent] == chosen.fit)
        classes = self._definitions.class_names()
        chosen.callback = np.minimum(chosen.callback, len(classes) - 1)
        name_codes, names = _names(chosen, sites.names, hooks, classes)
        self._sink.append(
            "spans",
            {
                "fit": chosen.fit,
                "span": chosen.number,
                "parent": _nullable(np.where(same_fit, parent, -1)),
                "stage": (chosen.stage, list(STAGES)),
                "epoch": _nullable(chosen.epoch),
                "batch": _nullable(chosen.batch),
                "phase": (chosen.phase, list(PHASES)),
                "name": (name_codes, names),
                "start_ns": chosen.start + self._shift,
                "duration_ns": chosen.end - chosen.start,
                "children_ns": children[index],
                "thread": (np.full(len(index), 0), [self._thread(thread)]),
                "status": (_status(chosen), _STATUSES),
                "callback": (chosen.callback, classes),
                "position": _nullable(chosen.position),
                "hook": (chosen.hook, hooks),
                "site": chosen.site,
                "nested": nested_in_phase(spans)[index],
            },
        )

    def logs(self, spans: SpanArrays, rows: LogRows, hooks: list[str]) -> None:
        """Append `rows` of `logs`, in the order of the hooks' spans."""
        if not rows.key:
            return
        # Each piece of `rows` has one key, one text and many values; the table has a row for each value.
        counts = [len(piece) for piece in rows.frame_span]
        frame_span = np.concatenate(rows.frame_span)
        chosen = spans.take(frame_span)
        code_of = {key: code for code, key in enumerate(dict.fromkeys(rows.key))}
        keys, codes = list(code_of), np.array([code_of[key] for key in rows.key])
        value = np.concatenate(rows.value)
        no_number = np.repeat([text is not None or removed for text, removed in zip(rows.text, rows.removed)], counts)
        columns: dict[str, Values] = {
            "fit": chosen.fit,
            "stage": (chosen.stage, list(STAGES)),
            "epoch": _nullable(chosen.epoch),
            "batch": _nullable(chosen.batch),
            "hook": (chosen.hook, hooks),
            "span": chosen.number,
            "position": np.concatenate(rows.position),
            "key": (np.repeat(codes, counts), keys),
            "value": np.ma.array(value, mask=no_number),
            "text": [text for text, count in zip(rows.text, counts) for _ in range(count)],
            "removed": np.repeat(rows.removed, counts),
        }
        order = np.argsort(chosen.start, kind="stable")
        self._sink.append("logs", {name: _ordered(column, order) for name, column in columns.items()})

    def batches(
        self,
        spans: SpanArrays,
        parsed: Parsed,
        phase_ns: Indices,
        batch_of: Indices,
        logs: BatchLogs,
        facts: BatchFacts,
        done: Flags,
    ) -> None:
        """Make rows of `batches`, which wait for their logs until the third `flush` from now.

        - `spans`, `parsed`: the spans and records of a window.
        - `phase_ns`: nanoseconds in each of `BATCH_PHASES`, a row for each span.
        - `batch_of`: the index of the batch that each span is in; -1: none.
        - `logs`: the logs at the end of batches.
        - `facts`: what sampling says of batches.
        - `done`: which spans to take.
        """
        index = np.flatnonzero(done & (spans.phase == PHASE["batch"]))
        chosen = spans.take(index)
        columns: dict[str, Values] = {
            "fit": chosen.fit,
            "stage": (chosen.stage, list(STAGES)),
            "epoch": _nullable(chosen.epoch),
            "batch": _nullable(chosen.batch),
            "last_batch": chosen.last,
            "size": _nullable(sizes_of(chosen, parsed)),
            "first_sample": _nullable(chosen.first),
            "span": chosen.number,
            "start_ns": chosen.start + self._shift,
            "duration_ns": chosen.end - chosen.start,
            **{f"{phase}_ns": phase_ns[index, column] for column, phase in enumerate(BATCH_PHASES)},
            "data_wait_ns": _nullable(facts.data_wait_ns[index]),
            "compute_ns": _nullable(facts.compute_ns[index]),
            "retraced": [None] * len(index) if facts.retraced is None else facts.retraced[index],
            "status": (_status(chosen), _STATUSES),
        }
        log_columns = self._columns_of_logs(spans, index, batch_of, logs)
        if len(index):
            self._new_batches.append(PendingBatches(columns, log_columns, chosen))

    def _columns_of_logs(
        self, spans: SpanArrays, index: Indices, batch_of: Indices, logs: BatchLogs
    ) -> dict[str, Floats]:
        """The columns of the logs' keys, for the batches at `index`. The other parameters are those of `batches`."""
        row = np.full(len(spans) + 1, -1)
        row[index] = np.arange(len(index))
        columns: dict[str, Floats] = {}
        for key, pieces in logs.keys.items():
            for frame_span, value in pieces:
                batch = batch_of[frame_span]
                in_batch = batch >= 0
                if np.any(in_batch) and self._has_column(key, columns, len(index)):
                    column = columns.setdefault(key, absent(len(index)))
                    column[row[batch[in_batch]]] = value[in_batch]
                # A hook on a thread of its own is in no batch of its thread. Its batch is found by number.
                for late in np.flatnonzero(~in_batch):
                    batch_key = key_of(spans, int(frame_span[late]), spans.batch)
                    if batch_key in self._late_logs or len(self._late_logs) < LATE_LOGS:
                        self._late_logs.setdefault(batch_key, {})[key] = float(value[late])
        return columns

    def _has_column(self, key: str, others: Collection[str], rows: int) -> bool:
        """Whether a key of the logs may have a column of `batches`.

        A trace may have any number of keys. So the number of columns is limited, and that of cells in memory.

        - `others`: the keys that have a column in these rows.
        - `rows`: the number of rows.
        """
        if key not in others and (len(others) + 1) * rows > BATCH_CELLS:
            return False
        if key not in self._log_columns and len(self._log_columns) < BATCH_KEYS:
            self._log_columns.add(key)
        return key in self._log_columns

    def samples(self, spans: SpanArrays, batch: int, sample_runs: SampleRuns) -> None:
        """Append rows of `samples` for one epoch. `batch` is the index of its first batch."""
        rows = len(sample_runs.position)
        chosen = spans.take(np.full(rows, batch))
        self._sink.append(
            "samples",
            {
                "fit": chosen.fit,
                "stage": (chosen.stage, list(STAGES)),
                "epoch": _nullable(chosen.epoch),
                "position": sample_runs.position,
                "sample": _nullable(sample_runs.sample),
                "count": sample_runs.count,
            },
        )

    def stops(self, spans: SpanArrays, stops: Stops, hooks: list[str]) -> None:
        """Append rows of `stops`."""
        if not len(stops.span):
            return
        chosen = spans.take(stops.span)
        classes = self._definitions.class_names()
        self._sink.append(
            "stops",
            {
                "fit": chosen.fit,
                "stage": (chosen.stage, list(STAGES)),
                "epoch": _nullable(chosen.epoch),
                "batch": _nullable(chosen.batch),
                "value": stops.value,
                "hook": (chosen.hook, hooks),
                "callback": (np.minimum(chosen.callback, len(classes) - 1), classes),
                "position": chosen.position,
                "span": chosen.number,
            },
        )

    def flush(self, final: bool = False) -> None:
        """End a window: append the batches that have waited for two windows; with `final`, all batches."""
        self._waiting.append(self._new_batches)
        self._new_batches = []
        while len(self._waiting) > (0 if final else 2):
            for batches in self._waiting.pop(0):
                if self._late_logs:
                    batches.take_late(self._late_logs)
                self._sink.append("batches", batches.whole())

    def flow(
        self, thread: int, fit: Indices, span: Indices, turns: Indices, path: Indices, clocks: Sequence[Indices]
    ) -> None:
        """Append rows of `flow`, one for each entry of the arrays.

        - `thread`: the number of the thread.
        - `fit`: the number of the fit.
        - `span`: the number of the first span that the first turn opens.
        - `turns`: how many turns in a row took the path.
        - `path`: the number of the path; -1: unknown.
        - `clocks`: the moments of the first turn's `line` records.
        """
        offsets = np.append(0, np.cumsum([len(moments) for moments in clocks])).astype(np.int32)
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
        """Append rows of `paths`: the number of each path, and its codes as in `_Turns.codes`."""
        self._sink.append("paths", {"path": path, "sites": sites})

    def values(
        self, spans: SpanArrays, owner: Indices, sites: Indices, rows: Sequence[tuple[str, float | str]]
    ) -> None:
        """Append rows of `values`.

        - `owner`: of each row the index of the span that it belongs to.
        - `sites`: of each row the site that recorded it.
        - `rows`: the key and value of each row.
        """
        if not rows:
            return
        chosen = spans.take(owner)
        self._sink.append(
            "values",
            {
                "fit": chosen.fit,
                "span": chosen.number,
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
        """Append rows of `fits`.

        `ended` has for each fit the index of its root span, the fit, and where it ended, if a span of it failed or is
        open.
        """
        if not ended:
            return
        roots, fits = [root for root, *_ in ended], [fit for _, fit, _ in ended]
        chosen = spans.take(np.array(roots))
        status = _status(chosen).tolist()
        self._sink.append(
            "fits",
            {
                "fit": [fit.number for fit in fits],
                "method": [_METHODS[STAGES[fit.stage]] for fit in fits],
                "engine": [fit.engine for fit in fits],
                "engine_version": [self._definitions.engines.get(fit.engine, "unknown") for fit in fits],
                "start_ns": chosen.start + self._shift,
                "duration_ns": chosen.end - chosen.start,
                "epochs": [fit.epochs for fit in fits],
                "batches": [fit.batches for fit in fits],
                "status": [_STATUSES[code] for code in status],
                "error": [self._error(spans, parsed, root) for root in roots],
                "thread": [self._thread(fit.thread) for fit in fits],
                "span": [fit.root for fit in fits],
                "parent_fit": [fit.parent_fit for fit in fits],
                "parent_span": [fit.parent_span for fit in fits],
                **self._end_columns([end if code else None for (*_, end), code in zip(ended, status)], hooks),
                "caller_file": [_text_of(fit.caller.get(CALLER_FILE)) for fit in fits],
                "caller_line": [_line_of(fit.caller.get(CALLER_LINE)) for fit in fits],
                "caller_function": [_text_of(fit.caller.get(CALLER_FUNCTION)) for fit in fits],
            },
        )

    def _error(self, spans: SpanArrays, parsed: Parsed, root: int) -> str | None:
        """The exception that ended the fit whose root span is at `root`."""
        if not spans.failed[root]:
            return None
        return self._definitions.text(int(parsed.numbers[parsed.start[spans.closer[root]] + 2]), lost="unknown")

    def _end_columns(self, end_positions: Sequence[EndPosition | None], hooks: list[str]) -> dict[str, Values]:
        """The `_END_COLUMNS`, with None for fits that ended well."""
        rows = [None if end is None else self._end_row(end.span, hooks) for end in end_positions]
        return {name: [None if row is None else row[name] for row in rows] for name in _END_COLUMNS}

    def _end_row(self, span: SpanArrays, hooks: list[str]) -> dict[str, str | int | None]:
        """The values of `_END_COLUMNS` for a fit that ended in `span`, an array of one."""

        def named(code: int, names: Sequence[str]) -> str | None:
            return names[code] if code >= 0 else None

        def counted(number: int) -> int | None:
            return number if number >= 0 else None

        classes = self._definitions.class_names()
        return {
            "at_span": int(span.number[0]),
            "at_stage": named(int(span.stage[0]), STAGES),
            "at_epoch": counted(int(span.epoch[0])),
            "at_batch": counted(int(span.batch[0])),
            "at_phase": named(int(span.phase[0]), list(PHASES)),
            "at_callback": named(min(int(span.callback[0]), len(classes) - 1), classes),
            "at_hook": named(int(span.hook[0]), hooks),
        }

    def _thread(self, number: int) -> str:
        """The name of a thread, with its number where an earlier thread has the same name."""
        if number in self._thread_names:
            return self._thread_names[number]
        threads = self._definitions.threads
        if number >= len(threads):
            return f"thread {number}"
        known = threads[number]
        name = _thread_name(known)
        if any(_thread_name(other) == name for other in threads[:number]):
            name = f"{name} ({number})"
        if known is not None:
            self._thread_names[number] = name
        return name


def _thread_name(thread: Definition | None) -> str:
    return str(thread["name"]) if thread else LOST


def _nullable(values: Indices) -> np.ma.MaskedArray[tuple[int, ...], np.dtype[np.int64]]:
    return np.ma.array(values, mask=values < 0)


def _text_of(value: float | str | None) -> str | None:
    """A text of a caller. A forged journal may have a number there."""
    return value[:LONGEST_PATH] if isinstance(value, str) else None


def _line_of(value: float | str | None) -> int | None:
    """The line of a caller. A forged journal may have anything there."""
    return int(value) if isinstance(value, float) and 0 <= value < 1 << 31 else None


def _status(spans: SpanArrays) -> Indices:
    return np.where(spans.closer < 0, _UNFINISHED, spans.failed.astype(np.int64))


def _names(spans: SpanArrays, sites: list[str], hooks: list[str], classes: list[str]) -> tuple[Indices, list[str]]:
    """The name of each span: `Class.hook` of a callback's hook, else the name that its site gives it.

    Returns a code for each span, and the names that the codes stand for.
    """
    # One number for each pair of class and name, where class 0 means no callback.
    width = max(len(sites), len(hooks), 1)
    is_hook = spans.callback >= 0
    pair = np.where(is_hook, (spans.callback + 1) * width + spans.hook, spans.name)
    pairs, code = np.unique(pair, return_inverse=True)
    names = []
    for class_and_name in pairs.tolist():
        callback, name = divmod(class_and_name, width)
        names.append(f"{classes[callback - 1]}.{hooks[name]}" if callback else sites[name])
    return code, names


def _ordered(column: Values, order: Indices) -> Values:
    """The values of a column in this order."""
    if isinstance(column, tuple):
        return np.asarray(column[0])[order], column[1]
    return column[order] if isinstance(column, np.ndarray) else [column[index] for index in order]
