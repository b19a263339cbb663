"""What reads records fast has, after each record, the same open spans as the plain `schema.open_frames`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from fittrace.capture.journal.load_shedder import Keep, LoadShedder, stand_ins
from fittrace.capture.journal.pybuffer import Buffer
from fittrace.capture.record.pyprobes import Probes
from fittrace.capture.sites import Site
from fittrace.otel.live_settings import LiveSettings
from fittrace.otel.live_tracer import LiveTracer
from fittrace.otel.metrics.meters import Meters
from fittrace.otel.sdk_spans import Tracers
from fittrace.replay.flow_graph import FlowGraph, FlowNode
from fittrace.replay.walk import RecordedProgram, Walk, WalkSite
from fittrace.schema import sent_spans
from fittrace.schema.open_frames import OpenFrames
from fittrace.schema.record_kinds import ANNOTATIONS, KINDS, SHOW_FLOW, opened_phases
from fittrace.schema.sent_batches import NONE, SentBatches
from fittrace.store.derive.records import parse
from fittrace.store.derive.site_arrays import PHASE, SiteArrays
from fittrace.store.derive.spans import spans_of

from .streams import Program, Record, Shape

many = settings(max_examples=100, deadline=None)


class SpanKey(NamedTuple):
    """A span of a stream: which record opens it, and as which of that record's spans."""

    record: int
    nth: int


@dataclass
class Stream:
    """The records of one thread, their sites by number, and what their numbers stand for."""

    sites: list[Site]
    records: list[Record]
    definitions: list[dict[str, Any]]

    def site(self, record: Record) -> Site:
        return self.sites[-record[0] - 1]

    def add(self, kind: str, **facts: Any) -> Site:
        self.sites.append(Site(len(self.sites), kind, "toy.py", "f", 7, "toy", **facts))
        return self.sites[-1]


def stream_of(seed: int, longest: int, pausing: float = 0.2) -> Stream:
    """The records of a made-up program, and among them the kinds of record that it has not itself.

    `pausing` is how many of the records that close are `aside`.
    """
    random = Random(seed)
    program = Program(Random(seed), Shape(worker=False), longest=longest).run()
    stream = Stream([], [], program.definitions)
    for definition in program.definitions:
        if definition["define"] == "site":
            known = ("stage", "root", "counts", "hook", "level", "depth")
            facts = {key: definition[key] for key in known if key in definition}
            phases = tuple(definition.get("phases", ()))
            stream.add(definition["kind"], phases=phases, names=tuple(definition.get("names", ())), **facts)
    pauses = {depth: stream.add("aside", depth=depth) for depth in range(8)}
    notes = [stream.add(kind, level=1) for kind in sorted(ANNOTATIONS - {"enter", "exit", "thrown", "state", "values"})]
    pairs = [(stream.add("enter", level=3), stream.add(kind, level=3)) for kind in ("exit", "thrown")]
    begin = stream.add("call", phases=("make_batches",), fence=True)
    pairs += [(begin, stream.add(kind, fence=True)) for kind in ("leave", "raise")]
    for _, record in program.records:
        site = stream.site(record)
        if site.kind == "close" and random.random() < pausing:
            record = (pauses[site.depth].head, record[1])
        stream.records.append(record)
        added: Sequence[Site] = ()
        if random.random() < 0.2:
            added = (random.choice(notes),)
        elif random.random() < 0.2:
            added = random.choice(pairs)
        for site in added:
            stream.records.append((site.head, *[record[-1]] * len(KINDS[site.kind].operands)))
    return stream


streams = st.builds(stream_of, st.integers(0, 1 << 32), st.integers(1, 150))


def some_records(sites: list[Site], chosen: list[int]) -> Stream:
    records = []
    for time, number in enumerate(chosen):
        site = sites[number]
        records.append((site.head, *[time] * len(KINDS[site.kind].operands)))
    return Stream(sites, records, [])


def any_sites() -> list[Site]:
    """A site of each kind that moves spans, at each of some depths, and one that does not."""
    stream = Stream([], [], [])
    for depth in range(4):
        for kind in ("close", "aside", "hooked", "turn"):
            stream.add(kind, depth=depth)
        for kind, phases in (("open", ("batch", "slice")), ("turn", ("epoch",)), ("hook", ("hooks",))):
            stream.add(kind, depth=depth, phases=phases)
        stream.add("close", depth=depth, phases=("stop",))  # a damaged definition: closing records open nothing
    for kind, phases in (("call", ("fit",)), ("hooks", ("hooks",))):
        stream.add(kind, phases=phases)
    for kind in ("leave", "raise", "traced"):
        stream.add(kind)
    return stream.sites


ANY_SITES = any_sites()
any_records = st.lists(st.integers(0, len(ANY_SITES) - 1), max_size=40).map(partial(some_records, ANY_SITES))
"""Records in any order, as a damaged journal may have them."""


def keys_of(stream: Stream, index: int) -> list[SpanKey]:
    """The spans that a record opens."""
    site = stream.site(stream.records[index])
    return [SpanKey(index, nth) for nth in range(len(opened_phases(site.kind, site.phases)))]


def open_after_each(stream: Stream) -> Iterator[list[SpanKey]]:
    """The spans that are open after each record, as the machine has them."""
    frames: OpenFrames[SpanKey] = OpenFrames()
    for index, record in enumerate(stream.records):
        site = stream.site(record)
        frames.record(site.kind, site.depth, keys_of(stream, index))
        yield frames.spans


# The derivation


@many
@given(st.one_of(streams, any_records))
def test_the_derivation_closes_what_the_machine_closes(stream: Stream) -> None:
    sites = SiteArrays.of([{**vars(site), "names": site.phases} for site in stream.sites])
    numbers = np.array([number for record in stream.records for number in record], np.int64)
    parsed = parse(numbers, sites)
    spans = spans_of(parsed, sites)
    begins = np.cumsum([0, *map(len, stream.records)])[:-1].tolist()
    index = {start: number for number, start in enumerate(begins)}
    open_from: dict[SpanKey, int] = {}
    open_until: dict[SpanKey, int] = {}
    nth, before = 0, -1
    for record, closer, phase in zip(spans.record.tolist(), spans.closer.tolist(), spans.phase.tolist(), strict=True):
        nth = nth + 1 if record == before else 0
        before = record
        key = SpanKey(index[int(parsed.start[record])], nth)
        assert phase == PHASE[stream.site(stream.records[key.record]).phases[nth]]
        open_from[key] = key.record
        open_until[key] = index[int(parsed.start[closer])] if closer >= 0 else len(stream.records)
    for place, wanted in enumerate(open_after_each(stream)):
        assert [key for key in open_from if open_from[key] <= place < open_until[key]] == wanted


# The load shedder


@many
@given(streams, st.lists(st.sampled_from(Keep), min_size=1, max_size=8), st.integers(0, 60))
def test_what_is_left_closes_and_opens_as_the_whole_does(stream: Stream, levels: list[Keep], first: int) -> None:
    """Load shedding sets in after `first` records; its level changes from time to time."""
    sites = [*stream.sites, *stand_ins(len(stream.sites)).sites]
    shedder = LoadShedder(stand_ins(len(stream.sites)))
    whole: OpenFrames[SpanKey] = OpenFrames()
    left: OpenFrames[SpanKey] = OpenFrames()
    kept: set[int] = set()
    for index, record in enumerate(stream.records):
        site = stream.site(record)
        level = levels[index * len(levels) // len(stream.records)]
        rest = list(record) if index < first else shedder.shed(record, sites, level)[0]
        is_kept = rest == list(record)
        kept |= {index} if is_kept else set()
        whole.record(site.kind, site.depth, keys_of(stream, index))
        for head in [number for number in rest if number < 0]:
            other = sites[-head - 1]
            left.record(other.kind, other.depth, keys_of(stream, index) if is_kept else ())
        assert left.spans == [key for key in whole.spans if key.record in kept]


# The replay's walk


@many
@given(st.builds(stream_of, st.integers(0, 1 << 32), st.integers(1, 150), st.just(0)))
def test_the_walk_has_the_machines_spans(stream: Stream) -> None:
    """All sites are in one function, between whose records no way is known: the walk follows the spans all the same."""
    ways = [FlowNode(0, 0, site.number, (), (), (), False) for site in stream.sites]
    sites = {
        site.number: WalkSite(site.kind, 0, node, 7, site.depth, site.phases, site.fence)
        for node, site in enumerate(stream.sites)
    }
    walk = Walk(RecordedProgram([FlowGraph("f", "toy.py", 1, ways)], sites))
    numbers: list[SpanKey] = []
    for index, wanted in enumerate(open_after_each(stream)):
        site = stream.site(stream.records[index])
        numbers += keys_of(stream, index)
        if site.kind in ANNOTATIONS - SHOW_FLOW:
            continue  # not part of the control flow
        walk.records([site.number, *([-7] if "line" in KINDS[site.kind].operands else [])])
        assert [numbers[span] for span in walk.opened] == wanted


# Live spans


class Names:
    """What the numbers of a stream's records stand for."""

    def __init__(self, definitions: Sequence[dict[str, Any]]) -> None:
        self._known = {(one["define"], one.get(one["define"])): one for one in definitions}
        self.class_names: dict[int, str] = {}

    def keys_of(self, number: int) -> tuple[tuple[str, ...], str]:
        known = self._known["keys", number]
        return tuple(known["names"]), known["kinds"]

    def text_of(self, number: int) -> str | None:
        return self._known.get(("text", number), {}).get("value")


class Sent(NamedTuple):
    """An open span as live spans should have it.

    - `is_in_fit`: whether a fit is around it, or it begins one. Of others nothing is promised.
    - `is_sent`: whether it is sent itself.
    - `is_unsent`: whether nothing in it is sent, but for fits.
    """

    phase: str
    is_in_fit: bool
    is_sent: bool
    is_unsent: bool


SHIFT_NS = 1_700_000_000_000_000_000
TRACERS, METERS = TracerProvider(shutdown_on_exit=False), MeterProvider(shutdown_on_exit=False)
"""They have no exporters: nothing is sent anywhere."""


def expected(stream: Stream, level: str, batches: SentBatches) -> Iterator[list[str]]:
    """The phases of the spans in fits that are open and sent after each record."""
    frames: OpenFrames[Sent] = OpenFrames()
    if not sent_spans.is_sent(level, "batch", False):
        batches = NONE
    due_ns = 0
    for record in stream.records:
        site = stream.site(record)
        frames.close(site.kind, site.depth)
        start_ns = record[2 if site.kind == "hook" else 1] if len(record) > 1 else 0
        for phase in opened_phases(site.kind, site.phases):
            around = frames.spans[-1] if frames.spans else None
            begins = site.root and (around is None or around.phase != "validation")
            is_in_fit = begins or (around is not None and around.is_in_fit)
            is_unsent = around is not None and around.is_unsent and not begins
            if phase == "batch" and around is not None:
                is_unsent = is_unsent or not batches.takes(start_ns + SHIFT_NS, due_ns)
                due_ns = due_ns if is_unsent else batches.due(start_ns + SHIFT_NS)
            is_sent = not is_unsent and sent_spans.is_sent(level, phase, begins)
            frames.open(site.kind, site.depth, [Sent(phase, is_in_fit, is_sent, is_unsent)])
        yield [span.phase for span in frames.spans if span.is_in_fit and span.is_sent]


@many
@given(streams, st.sampled_from(list(sent_spans.LEVELS)), st.sampled_from(("0", "0.5", "1", "1e5/s")), st.booleans())
def test_live_spans_are_the_machines(stream: Stream, level: str, sent: str, is_measured: bool) -> None:
    faults: list[Exception] = []
    now = [0]
    session: Any = SimpleNamespace(
        sites=list(stream.sites),
        names=Names(stream.definitions),
        facts={"host": "host", "pid": 11, "time_ns": SHIFT_NS, "clock_ns": 0},
        recorder=SimpleNamespace(clock=lambda: now[0]),
        fault=lambda where, error: faults.append(error),
    )
    batches = SentBatches.of(sent)
    meters = Meters(lambda: METERS) if is_measured else Meters()
    live = LiveTracer(session, Tracers(lambda: TRACERS), meters, LiveSettings(level, batches))
    builder: Any = live.observing(lambda record: None)
    probes = Probes(SimpleNamespace(clock=lambda: now[0]), Buffer(), builder)  # type: ignore[arg-type]
    for record, wanted in zip(stream.records, expected(stream, level, batches), strict=True):
        now[0] = record[1] if len(record) > 1 else now[0]
        probes.record(record)
        spans = [span for span in builder._stack.spans if span.span is not None and span.fit.begins_fit]
        assert [span.phase for span in spans] == wanted
    live.finish()
    assert not faults
