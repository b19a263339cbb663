"""A run's spans in OpenTelemetry's form: with ids, names and attributes, sorted by start.

The rows are read in pieces, and only the spans that are still open are kept. So a run may be larger than memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..schema import otel_names, sent_spans
from ..schema.sent_batches import ALL, SentBatches
from ..tables import TraceTables
from ..tables.database import reading
from .fit_facts import ExportedFit, Facts, LoggedBatches, Process, facts_of

ANCHORS = ("epoch", "validation")
"""The phases that may hold hooks of another thread. Such hooks have no parent in the trace."""


@dataclass(frozen=True)
class SpanChoice:
    """Which spans to export.

    - `level`: a key of `sent_spans.LEVELS`.
    - `batches`: which batches are among them.
    - `unfinished`: only the spans that were open when the recording ended.
    """

    level: str = "all"
    batches: SentBatches = ALL
    unfinished: bool = False


EVERYTHING = SpanChoice()


class Span(NamedTuple):
    """One span.

    - `process`, `fit`: the process and the fit that it belongs to.
    - `id`: its id in OpenTelemetry.
    - `parent`: the id of its parent. None for the root of a trace.
    - `name`: its name in OpenTelemetry, of few different values.
    - `title`: its name in a viewer, with its number.
    - `row`: its row of the trace.
    - `logs`: the numbers in the logs at its end.
    - `begins`: the fit, if the span is the outermost of its fit; None for all others.
    """

    process: Process
    fit: ExportedFit
    id: int
    parent: int | None
    name: str
    title: str
    row: Row
    logs: dict[str, float]
    begins: ExportedFit | None

    @property
    def end_ns(self) -> int:
        """Its end, in Unix nanoseconds."""
        return self.row.start_ns + self.row.duration_ns

    def attributes(self) -> dict[str, Any]:
        """Its attributes in OpenTelemetry, without those that have no value."""
        row = self.row
        attributes: dict[str, Any] = {
            "keras.fit": row.fit,
            "keras.stage": row.stage,
            "keras.epoch": row.epoch,
            "keras.batch": row.batch,
            "keras.last_batch": row.last_batch,
            "keras.batch_size": row.size,
            "keras.callback": row.callback,
            "keras.callback_position": row.position,
            "keras.hook": row.hook,
            "keras.unfinished": True if row.status == "unfinished" else None,
            "code.function.name": row.function,
            "code.file.path": row.file,
            "code.line.number": row.line,
            "thread.name": row.thread,
        }
        if self.begins is not None:
            attributes["keras.engine"] = self.begins.row["engine"]
            attributes["keras.engine_version"] = self.begins.row["engine_version"]
        attributes |= {otel_names.LOGS + key: value for key, value in self.logs.items()}
        return {key: value for key, value in attributes.items() if value is not None}


class Row(NamedTuple):
    """A row of `spans`, joined with its batch and its site. The fields are the columns of those tables."""

    process: int
    fit: int
    span: int
    parent: int | None
    stage: str
    epoch: int | None
    batch: int | None
    phase: str
    name: str
    start_ns: int
    duration_ns: int
    thread: str
    status: str
    callback: str | None
    position: int | None
    hook: str | None
    site: int
    last_batch: int | None
    size: int | None
    function: str | None
    file: str | None
    line: int | None
    opens: list[str] | None


_SQL = """
    SELECT s.*, b.last_batch, b.size, c.function, c.file, c.line, c.opens {logs}
    FROM spans s
    LEFT JOIN batches b ON b.process = s.process AND b.span = s.span
    LEFT JOIN sites c ON c.process = s.process AND c.site = s.site
    ORDER BY s.start_ns, s.process, s.span
"""


def spans_of(trace: TraceTables, choice: SpanChoice = EVERYTHING) -> Iterator[Span]:
    """The chosen spans of a trace of one run, sorted by start. A span comes before the spans inside it.

    The parent of a span is the nearest chosen span around it. A damaged trace may lack the fit or
    the process of a span. Such spans are left out.
    """
    facts = facts_of(trace)
    batch_logs = LoggedBatches(trace)
    open_spans = {number: _Open() for number in facts.processes}
    with reading(trace.relation(_SQL.format(logs=batch_logs.columns))) as pieces:
        for piece in pieces:
            now_ns = 0
            for columns in piece.to_pylist():
                row = Row(*(columns[name] for name in Row._fields))
                if (row.process, row.fit) not in facts.fits:
                    continue
                logs = batch_logs.of(columns) if row.phase == "batch" else {}
                span = _span(row, logs, facts, open_spans[row.process], choice)
                if span is not None:
                    yield span
                now_ns = row.start_ns
            for process in open_spans.values():
                process.forget(now_ns)


class _Around(NamedTuple):
    """What is kept of a span while other spans may begin inside it.

    - `id`: the id of the nearest chosen span: this one, or one around it.
    - `is_out`: whether it lies in a batch that is not exported.
    - `end_ns`: its end, in Unix nanoseconds.
    """

    id: int | None
    is_out: bool
    end_ns: int


class _Open:
    """The open spans of one process, while its spans are read in order of start."""

    def __init__(self) -> None:
        self._spans: dict[int, _Around] = {}
        self._anchors: dict[int, list[_Around]] = defaultdict(list)
        self._last = (-1, -1, 0)
        self._due: dict[str, int] = {}

    def nth(self, start_ns: int, site: int) -> int:
        """The index of the next span among those that a site opened at the same time. It is part of the span's id."""
        again = self._last[:2] == (start_ns, site)
        self._last = (start_ns, site, self._last[2] + 1 if again else 0)
        return self._last[2]

    def takes(self, row: Row, batches: SentBatches) -> bool:
        """Whether `batches` chooses the batch that the span of a row is, or stands for."""
        is_taken = batches.takes(row.start_ns, self._due.get(row.thread, 0))
        if is_taken:
            self._due[row.thread] = batches.due(row.start_ns)
        return is_taken

    def around(self, row: Row, fit: ExportedFit) -> _Around | None:
        """The open span around the span of a row. None if no span of this process is around it."""
        if row.parent is not None:
            return self._spans.get(row.parent)
        if row.span == fit.row["span"]:
            return self._spans.get(fit.row["parent_span"])
        # The span has no parent in the trace: another thread than the fit's opened it. It belongs to the innermost open
        # anchor. The first anchor is the fit itself, which always stays.
        anchors = self._anchors[row.fit]
        while len(anchors) > 1 and anchors[-1].end_ns < row.start_ns:
            anchors.pop()
        return anchors[-1] if anchors else None

    def add(self, row: Row, around: _Around, is_anchor: bool) -> None:
        """Add a span that begins. `is_anchor`: spans of other threads may be inside it."""
        self._spans[row.span] = around
        if is_anchor:
            anchors = self._anchors[row.fit]
            while anchors and anchors[-1].end_ns < row.start_ns:
                anchors.pop()
            anchors.append(around)

    def forget(self, now_ns: int) -> None:
        """Drop the spans that ended before `now_ns`."""
        self._spans = {number: around for number, around in self._spans.items() if around.end_ns >= now_ns}


def _span(row: Row, batch_logs: dict[str, float], facts: Facts, open_spans: _Open, choice: SpanChoice) -> Span | None:
    process, fit = facts.processes[row.process], facts.fits[row.process, row.fit]
    begins = row.span == fit.row["span"]
    nth = open_spans.nth(row.start_ns, row.site)
    identity = process.ids.span(row.start_ns, row.site, nth)
    # A batch that finds no more data is stored as another phase. Live spans were begun before that was known, so the
    # phase with which the site opened the span decides, as it did live.
    phase = row.opens[nth] if row.opens is not None and nth < len(row.opens) else row.phase
    around = open_spans.around(row, fit)
    is_out = around is not None and around.is_out and not begins
    # A hook of another thread, at a batch's end, is inside no batch's span. It is sampled as a batch of its own.
    stands_alone = row.parent is None and row.batch is not None and not begins
    if phase == "batch" or stands_alone:
        is_out = is_out or not open_spans.takes(row, choice.batches)
    chosen = sent_spans.is_sent(choice.level, phase, begins) and not is_out
    parent = around.id if around is not None else fit.parent
    nearest = _Around(identity if chosen else parent, is_out, row.start_ns + row.duration_ns)
    open_spans.add(row, nearest, begins or row.phase in ANCHORS)
    if not chosen or (choice.unfinished and row.status != "unfinished"):
        return None
    name = otel_names.span_name(row.phase, begins, row.callback is not None)
    logs = batch_logs
    if begins:
        logs = facts.ends.get((row.process, row.fit), {})
    elif row.phase == "epoch" and row.epoch is not None and row.stage == "train":
        logs = facts.epochs.get((row.process, row.fit, row.epoch), {})
    return Span(process, fit, identity, parent, name, _title(row, fit, begins), row, logs, fit if begins else None)


def _title(row: Row, fit: ExportedFit, begins: bool) -> str:
    if begins:
        return fit.title
    if row.phase == "epoch" and row.epoch is not None:
        return f"epoch {row.epoch}"
    if row.phase == "batch" and row.batch is not None:
        last = f"-{row.last_batch}" if row.last_batch not in (None, row.batch) else ""
        return f"batch {row.batch}{last}"
    return row.name if row.name and row.phase in ("hooks", *otel_names.CALLS) else row.phase
