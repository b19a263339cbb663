"""What a stream of records means, written down as plainly as can be: one record after the other, one object per span.

`schema.open_frames` says which spans a record opens and closes, and this what is known of them. The store does the same
with arrays, window by window; the tests compare the two.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fittrace.schema.journal_format import ABSENT
from fittrace.schema.open_frames import OpenFrames
from fittrace.schema.record_kinds import END_FRAMES, ENTER_FRAMES
from fittrace.schema.tables import BATCH_PHASES

Record = tuple[int, ...]
Row = dict[str, Any]
METHODS = {"train": "fit", "test": "evaluate", "predict": "predict"}


@dataclass(eq=False)
class Span:
    """One span of one thread."""

    thread: str
    index: int
    site: Row
    number_of_site: int
    phase: str
    name: str
    start: int
    parent: Span | None
    frame: Frame
    end: int | None = None
    closer: int | None = None
    failed: bool = False
    error: str | None = None
    stage: str | None = None
    epoch: int | None = None
    batch: int | None = None
    last: int | None = None
    turned: bool = False
    size: int | None = None
    callback: int | None = None
    position: int | None = None
    fit: Span | None = None
    sizes: Record | None = None
    states: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    first: int | None = None
    order: Record | None = None
    stops: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    owner: int | None = None

    @property
    def duration_ns(self) -> int:
        """How long it took. A span that nothing ended has got an end by then."""
        assert self.end is not None
        return self.end - self.start

    @property
    def is_root(self) -> bool:
        return self.site["kind"] == "call" and self.site.get("root") is True

    @property
    def begins_fit(self) -> bool:
        return self.is_root and (self.parent is None or self.parent.phase != "validation")


@dataclass(eq=False)
class Frame:
    """One call of an engine's function."""

    entered: Row = field(default_factory=dict)
    container: Span | None = None
    "The first span that it opened, in which are all others."
    hooks: int = 0
    hooked: list[Span] = field(default_factory=list)
    sizes: Record | None = None


class Reference:
    """The spans of all threads of one process, as far as sites of a level up to `level` tell of them."""

    def __init__(self, definitions: Sequence[Row], threads: Sequence[Sequence[Record]], level: int = 2) -> None:
        self.level = level
        self.numbered: dict[str, dict[int, Row]] = {}
        for one in definitions:
            what = one["define"]
            if what in one:
                self.numbered.setdefault(what, {})[one[what]] = one
        self.latest = 0
        self.order: Record | None = None
        self.spans: list[Span] = []
        for number, records in enumerate(threads):
            self.read(self.numbered["thread"][number]["name"], records)
        self.unfinished = {id(span) for span in self.spans if span.end is None}
        for span in self.spans:
            span.end = self.latest if span.end is None else span.end
        self.merge()
        self.pass_down()
        self.adopt()

    def read(self, thread: str, records: Sequence[Record]) -> None:
        frames: list[Frame] = []
        open_frames: OpenFrames[Span] = OpenFrames()
        index = 0
        for position, (head, *operands) in enumerate(records):
            number = -head - 1
            site = self.numbered["site"][number]
            kind, depth = site["kind"], site.get("depth", 0)
            if kind in ENTER_FRAMES:
                frames.append(Frame(site))
            frame = frames[-1]
            if kind == "state":
                frame.container.states.append((frame.hooks - 1, self.state(operands)))  # type: ignore[union-attr]
                continue
            if kind == "values":
                frame.container.values |= self.state(operands)  # type: ignore[union-attr]
                continue
            if kind == "sizes":
                frame.sizes = tuple(operands)
                continue
            if kind == "order":
                self.order = tuple(operands)
                continue
            if kind == "stop":
                (frame.hooked[-1] if frame.hooked else frame.container).stops.append(self.text(operands[0]))  # type: ignore[union-attr]
                continue
            order, self.order = self.order, None
            self.latest = max(self.latest, operands[1] if kind == "hook" else operands[0])
            for span in open_frames.close(kind, depth):
                span.end, span.closer, span.failed = operands[0], position, kind == "raise"
                span.error = self.text(operands[1]) if kind == "raise" else None
            if kind in END_FRAMES:
                frames.pop()
                continue
            for phase, name in zip(site.get("phases", []), site.get("names", [])):
                parent = open_frames.spans[-1] if open_frames.spans else None
                start = operands[1] if kind == "hook" else operands[0]
                span = Span(thread, index, site, number, phase, name, start, parent, frame)
                span.stage, span.sizes = site.get("stage"), frame.sizes
                if kind == "hook":
                    span.position, frame.hooks = frame.hooks, frame.hooks + 1
                    span.callback = operands[2] if operands[2] != ABSENT else None
                    frame.hooked.append(span)
                if kind == "hooks" and operands[2] != ABSENT and site.get("counts"):
                    setattr(span, site["counts"], operands[2])
                if kind == "hooks":
                    span.owner = operands[1]
                self.spans.append(span)
                open_frames.open(kind, depth, [span])
                frame.container = frame.container or span
                index += 1
            if kind == "turn":
                span = open_frames.spans[-1]
                setattr(span, site["counts"], operands[1])
                span.turned = True
                span.last = operands[2] if site["counts"] == "batch" else None
                span.size = operands[3] if operands[3] != ABSENT else None
                span.first = operands[4] if operands[4] != ABSENT else None
                span.order = order

    def state(self, operands: Sequence[int]) -> dict[str, Any]:
        keys = self.numbered["keys"][operands[0]]
        rest = list(operands[1:])
        found: dict[str, Any] = {}
        for name, kind in zip(keys["names"], keys["kinds"]):
            if kind == "n":
                found[name] = struct.unpack("<d", struct.pack("<2I", rest.pop(0), rest.pop(0)))[0]
            elif kind == "i":
                found[name] = float(rest.pop(0))
            else:
                found[name] = self.text(rest.pop(0))
        return found

    def text(self, number: int) -> str:
        return "unknown" if number == ABSENT else self.numbered["text"][number]["value"]

    def merge(self) -> None:
        """A fetch that found no more data is no batch."""
        gone = []
        for span in self.spans:
            if span.phase == "batch" and span.turned and self.ran_out(span):
                span.phase = "slice"
        for span in self.spans:
            if span.phase == "batch" and not span.turned:
                span.phase = "slice"
                for child in self.spans:
                    if child.parent is span and child.phase == "slice":
                        span.name = child.name
                        gone.append(child)
        for child in self.spans:
            if child.parent in gone:
                child.parent = child.parent.parent
        self.spans = [span for span in self.spans if span not in gone]

    def ran_out(self, turn: Span) -> bool:
        """Whether an exception that the engine caught ended a turn before its function was done, or any its fetch."""
        if turn.closer is None:
            return False
        inner = [span for span in self.spans if span.parent is turn and self.is_told(span)]
        if turn.failed:
            return any(span.closer == turn.closer for span in inner) and all(span.phase == "slice" for span in inner)
        left = any(span.phase in ("function", "slice") and span.closer == turn.closer for span in inner)
        computed = any(span.phase == "function" for span in inner)
        return left or (not computed and any(span.phase == "hooks" and span.failed for span in inner))

    def is_told(self, span: Span) -> bool:
        """Whether a span of a level that may be left out is there."""
        level: int = max(span.frame.entered["level"], span.site["level"])
        return level <= self.level

    def pass_down(self) -> None:
        for span in self.spans:  # a parent stands before its children
            if span.begins_fit:
                span.fit = span
            elif span.parent is not None:
                above = span.parent
                span.fit = above.fit
                span.stage = span.stage or ("test" if above.phase == "validation" else above.stage)
                span.epoch = above.epoch if span.epoch is None else span.epoch
                span.batch = above.batch if span.batch is None else span.batch

    def adopt(self) -> None:
        """Hooks on a thread of their own belong to the fit that used their callback list last."""
        lists = [span for span in self.spans if span.site["kind"] == "hooks" and span.fit is not None]
        epochs = [span for span in self.spans if span.phase == "epoch" and span.fit is not None]
        for span in self.spans:
            if span.site["kind"] == "hooks" and span.parent is None:
                users = [one for one in lists if one.owner == span.owner and one.start <= span.start]
                if not users:
                    continue
                fit = max(users, key=lambda one: one.start).fit
                if fit is None or (id(fit) not in self.unfinished and fit.end < span.start):  # type: ignore[operator]
                    continue
                span.fit = fit
                hook = span.site["hook"]
                span.stage = next((stage for stage in METHODS if stage in hook), "train")
                begun = [one for one in epochs if one.fit is span.fit and one.start <= span.start]
                if span.epoch is None and begun:
                    span.epoch = begun[-1].epoch
        self.inherit_adopted()

    def inherit_adopted(self) -> None:
        for span in self.spans:
            if span.fit is None and span.parent is not None and span.parent.fit is not None and not span.begins_fit:
                span.fit, span.stage = (
                    span.parent.fit,
                    span.stage or ("test" if span.parent.phase == "validation" else span.parent.stage),
                )
                span.epoch = span.parent.epoch if span.epoch is None else span.epoch
                span.batch = span.parent.batch if span.batch is None else span.batch

    def without(self, is_kept: Callable[[Span], bool]) -> None:
        """Forget some spans; their children move up. What is known of the others stays."""
        gone = {id(span) for span in self.spans if not is_kept(span)}
        for span in self.spans:
            while span.parent is not None and id(span.parent) in gone:
                span.parent = span.parent.parent
        self.spans = [span for span in self.spans if id(span) not in gone]

    # Rows

    def children_ns(self, span: Span) -> int:
        return sum(one.duration_ns for one in self.spans if one.parent is span and one.fit is span.fit)

    def status(self, span: Span) -> str:
        return "unfinished" if id(span) in self.unfinished else "error" if span.failed else "ok"

    def class_name(self, span: Span) -> str | None:
        return None if span.callback is None else self.numbered["class"][span.callback]["name"]

    def span_rows(self) -> Iterator[Row]:
        for span in self.spans:
            if span.fit is None:
                continue
            parent = span.parent if span.parent is not None and span.parent.fit is span.fit else None
            name = self.class_name(span)
            duration_ns = span.duration_ns
            children = self.children_ns(span) if span.thread == span.fit.thread else duration_ns
            yield {
                "fit": key(span.fit), "span": key(span), "parent": parent and key(parent), "stage": span.stage,
                "epoch": span.epoch, "batch": span.batch, "phase": span.phase,
                "name": f"{name}.{span.name}" if name else span.name, "start_ns": span.start,
                "duration_ns": duration_ns, "children_ns": children,
                "thread": span.thread, "status": self.status(span), "callback": name, "position": span.position,
                "hook": span.site.get("hook"), "site": span.number_of_site, "nested": self.nested(span),
            }  # fmt: skip

    def fit_rows(self) -> Iterator[Row]:
        for span in self.spans:
            if not span.begins_fit:
                continue
            mine = [one for one in self.spans if one.fit is span and one.stage == span.stage]
            above = span.parent if span.parent is not None and span.parent.fit is not None else None
            yield {
                "fit": key(span), "span": key(span), "method": METHODS[str(span.stage)], "engine": "toy",
                "engine_version": "1.0", "start_ns": span.start, "duration_ns": span.duration_ns,
                "epochs": sum(one.phase == "epoch" for one in mine),
                "batches": sum(one.phase == "batch" for one in mine),
                "status": self.status(span), "error": span.error, "thread": span.thread,
                "parent_fit": above and key(above.fit), "parent_span": above and key(above),  # type: ignore[arg-type]
                "caller_file": span.values.get("caller.file"), "caller_line": span.values.get("caller.line"),
                "caller_function": span.values.get("caller.function"), **self.standing(span),
            }  # fmt: skip

    def standing(self, fit: Span) -> Row:
        """Where a fit stood that did not return: in the innermost of the spans that failed with it, or are open."""
        if self.status(fit) == "ok":
            return {}
        at, inner = fit, [fit]
        while inner:
            at = inner[-1]
            inner = [
                one
                for one in self.spans
                if one.parent is at and one.fit is fit and self.status(one) == self.status(fit)
            ]
        return {
            "at_span": key(at), "at_stage": at.stage, "at_epoch": at.epoch, "at_batch": at.batch, "at_phase": at.phase,
            "at_callback": self.class_name(at), "at_hook": at.site.get("hook"),
        }  # fmt: skip

    def nested(self, span: Span) -> bool:
        """Whether it is in another span of its phase and fit."""
        around = span.parent
        while around is not None and around.fit is span.fit:
            if around.phase == span.phase:
                return True
            around = around.parent
        return False

    def batch_rows(self) -> Iterator[Row]:
        late: dict[tuple[Any, ...], Row] = {}
        for span in self.spans:
            if span.fit is None or not span.states or id(span) in self.unfinished:
                continue
            if self.batch_of(span) is None and span.site["hook"].endswith("batch_end"):
                late.setdefault((key(span.fit), span.stage, span.epoch, span.batch), {}).update(
                    numbers(span.states[-1][1])
                )
        for span in self.spans:
            if span.fit is None or span.phase != "batch":
                continue
            times = dict.fromkeys(BATCH_PHASES, 0)
            logs: Row = {}
            for one in self.spans:
                if one is not span and self.batch_of(one) is span:
                    phase = "slice" if one.phase == "make_batches" else one.phase
                    if phase in times:
                        times[phase] += one.duration_ns - self.children_ns(one)
                    is_over = one.states and id(one) not in self.unfinished
                    if is_over and str(one.site.get("hook")).endswith("batch_end"):
                        logs.update(numbers(one.states[-1][1]))
            logs.update(late.get((key(span.fit), span.stage, span.epoch, span.last), {}))
            yield {
                "fit": key(span.fit), "span": key(span), "stage": span.stage, "epoch": span.epoch,
                "batch": span.batch, "last_batch": span.last, "size": size_of(span), "first_sample": span.first,
                "start_ns": span.start,
                "duration_ns": span.duration_ns, "status": self.status(span),
                "data_wait_ns": None, "compute_ns": None, "retraced": None,
                **{f"{phase}_ns": time for phase, time in times.items()},
                **{f"logs.{name}": value for name, value in logs.items()},
            }  # fmt: skip

    def batch_of(self, span: Span) -> Span | None:
        """The batch that a span is in, within its fit."""
        one: Span | None = span
        while one is not None and one.fit is span.fit:
            if one.phase == "batch":
                return one
            one = one.parent
        return None

    def log_rows(self) -> Iterator[Row]:
        for span in self.spans:
            if span.fit is None:
                continue
            before: Row = {}
            for position, state in span.states:
                for name in {**state, **before}:
                    if name in state and name in before and same(state[name], before[name]):
                        continue
                    value = state.get(name)
                    yield {
                        "fit": key(span.fit), "stage": span.stage, "epoch": span.epoch, "batch": span.batch,
                        "hook": span.site["hook"], "span": key(span), "position": position, "key": name,
                        "value": value if isinstance(value, float) else None,
                        "text": value if isinstance(value, str) else None, "removed": name not in state,
                    }  # fmt: skip
                before = state

    def sample_rows(self) -> Iterator[Row]:
        for span in self.spans:
            if span.fit is None or span.order is None or span.phase != "batch":
                continue
            number, samples = span.order
            order = self.numbered["order"][number]["samples"] if number != ABSENT else None
            where: Row = {"fit": key(span.fit), "stage": span.stage, "epoch": span.epoch}
            if order is None:
                yield {**where, "position": 0, "sample": None, "count": samples}
                continue
            begins = [place for place in range(samples) if place == 0 or order[place] != order[place - 1] + 1]
            for begin, end in zip(begins, [*begins[1:], samples]):
                yield {**where, "position": begin, "sample": order[begin], "count": end - begin}

    def stop_rows(self) -> Iterator[Row]:
        for span in self.spans:
            if span.fit is None:
                continue
            for value in span.stops:
                yield {
                    "fit": key(span.fit), "stage": span.stage, "epoch": span.epoch, "batch": span.batch,
                    "value": value, "hook": span.site["hook"], "callback": self.class_name(span),
                    "position": -1 if span.position is None else span.position, "span": key(span),
                }  # fmt: skip

    def tables(self) -> dict[str, list[Row]]:
        """All rows, as the store would have them but for the numbers of spans and fits, which `key` stands for."""
        return {
            "spans": list(self.span_rows()),
            "fits": list(self.fit_rows()),
            "batches": list(self.batch_rows()),
            "logs": list(self.log_rows()),
            "samples": list(self.sample_rows()),
            "stops": list(self.stop_rows()),
        }


def key(span: Span) -> tuple[str, int]:
    """What names a span: its thread, and its place in it."""
    return span.thread, span.index


def same(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))


def numbers(state: Row) -> Row:
    return {name: value for name, value in state.items() if isinstance(value, float)}


def size_of(batch: Span) -> int | None:
    """The samples in a batch: whole ones, but for the last of the data, where the loop tells of its data."""
    if batch.size is not None or batch.sizes is None or batch.last is None:
        return batch.size
    whole, partial, count, steps = batch.sizes
    if ABSENT in (whole, partial, count) or count == 0 or (steps != ABSENT and partial):
        return None
    if steps == ABSENT and (batch.batch or 0) >= count:
        return None
    size = 0
    for number in range(batch.batch or 0, batch.last + 1):
        if steps == ABSENT and number >= count:
            continue
        size += partial if partial and steps == ABSENT and number == count - 1 else whole
    return size
