"""Perfetto's own format, `.pftrace`. Perfetto's UI and its trace processor open it.

Each process has a track for each thread, tracks for the ops of sampled batches, and a counter for each key of the logs.
The file is written packet by packet, so a trace may be larger than memory. Texts are made `printable`, because not
every viewer escapes what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from ..tables import TraceTables
from .counters import points_of
from .fit_facts import Facts, alone, facts_of
from .op_tracks import Lane, op_marks_of
from .otel_spans import spans_of
from .span_tracks import Track, marks_of

if TYPE_CHECKING:
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TracePacket

_SEQUENCE = 1
"""The id of the only packet sequence. Perfetto needs one to read track events."""


def write(trace: TraceTables, file: IO[bytes]) -> int:
    """Write a trace into `file`. Returns the number of spans. Raises `FittraceError` if `perfetto` is not installed."""
    try:
        from perfetto.trace_builder.proto_builder import StreamingTraceProtoBuilder
    except ImportError as error:
        raise FittraceError(f"perfetto: not installed ({error}); pip install 'fittrace[perfetto]'") from None
    builder = StreamingTraceProtoBuilder(file)
    spans = 0
    first_uuid = 1
    for run in trace.runs:
        packets = _Packets(builder.create_packet, alone(run), first_uuid)
        for packet in packets.all():
            builder.write_packet(packet)
        spans, first_uuid = spans + packets.spans, packets.next_uuid
    return spans


class _Slice(NamedTuple):
    """The beginning of a slice.

    - `name`: its name.
    - `category`: its category, by which a viewer may filter.
    - `attributes`: its details, which the viewer lists.
    """

    name: str
    category: str
    attributes: dict[str, Any]


class _Packets:
    """The packets of one run.

    - `new`: makes an empty packet.
    - `trace`: the trace of that run alone.
    - `first_uuid`: the id of the first track; `next_uuid` is where the next run goes on.
    """

    def __init__(self, new: Any, trace: TraceTables, first_uuid: int) -> None:
        self._new = new
        self._trace = trace
        self.next_uuid = first_uuid
        self._processes: dict[int, int] = {}
        self._threads: dict[Track, int] = {}
        self._counters: dict[tuple[int, str], int] = {}
        self._facts: Facts = facts_of(trace)
        self.spans = 0

    def all(self) -> Iterator[TracePacket]:
        """All packets: clock, processes, spans, ops and counters. A track's descriptor comes before its events."""
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackEvent

        if self._facts.processes:
            yield self._clock(min(process.row["start_ns"] for process in self._facts.processes.values()))
        for number in self._facts.processes:
            yield self._process(number)
        for mark in marks_of(spans_of(self._trace)):
            if mark.track not in self._threads:
                yield self._thread(mark.track)
            begins = None
            if mark.span is not None:
                self.spans += 1
                begins = _Slice(
                    mark.span.title, mark.span.name, mark.span.attributes() | {"keras.span": mark.span.row.span}
                )
            yield self._slice(self._threads[mark.track], mark.time_ns, begins)
        yield from self._ops()
        for point in points_of(self._trace):
            counter = point.process, point.title
            if counter not in self._counters:
                yield self._counter(*counter)
            packet = self._packet(point.time_ns)
            packet.track_event.type = TrackEvent.TYPE_COUNTER
            packet.track_event.track_uuid = self._counters[counter]
            packet.track_event.double_counter_value = point.value
            yield packet

    def _ops(self) -> Iterator[TracePacket]:
        lanes: dict[Lane, int] = {}
        for mark in op_marks_of(self._trace):
            if mark.lane not in lanes:
                descriptor, lanes[mark.lane] = self._named(mark.lane.process, mark.lane.title)
                yield descriptor
            begins = None if mark.op is None else _Slice(mark.op.name, mark.op.category, mark.op.attributes)
            yield self._slice(lanes[mark.lane], mark.time_ns, begins)

    def _slice(self, uuid: int, time_ns: int, begins: _Slice | None) -> TracePacket:
        """The beginning of a slice on a track. If `begins` is None: the end of the innermost slice."""
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackEvent

        packet = self._packet(time_ns)
        packet.track_event.track_uuid = uuid
        packet.track_event.type = TrackEvent.TYPE_SLICE_END if begins is None else TrackEvent.TYPE_SLICE_BEGIN
        if begins is not None:
            packet.track_event.name = printable(begins.name)
            packet.track_event.categories.append(printable(begins.category))
            _annotate(packet.track_event, begins.attributes)
        return packet

    def _packet(self, time_ns: int | None = None) -> TracePacket:
        packet: TracePacket = self._new()
        packet.trusted_packet_sequence_id = _SEQUENCE
        if time_ns is not None:
            packet.timestamp = time_ns
        return packet

    def _clock(self, time_ns: int) -> TracePacket:
        """A clock snapshot that equates boot time with wall time, so that the viewer shows the packets' Unix time."""
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import BUILTIN_CLOCK_BOOTTIME, BUILTIN_CLOCK_REALTIME

        packet = self._packet(time_ns)
        for clock in (BUILTIN_CLOCK_BOOTTIME, BUILTIN_CLOCK_REALTIME):
            packet.clock_snapshot.clocks.add(clock_id=clock, timestamp=time_ns)
        return packet

    def _process(self, number: int) -> TracePacket:
        packet, self._processes[number] = self._track()
        process = self._facts.processes[number]
        # The track's number instead of the process id: processes of several machines may have the same id.
        packet.track_descriptor.process.pid = self._processes[number]
        packet.track_descriptor.process.process_name = printable(process.title)
        return packet

    def _thread(self, track: Track) -> TracePacket:
        packet, self._threads[track] = self._track()
        thread = packet.track_descriptor.thread
        thread.pid = self._processes[track.process.number]
        thread.tid = self._threads[track]
        thread.thread_name = printable(track.thread)
        return packet

    def _counter(self, process: int, title: str) -> TracePacket:
        packet, self._counters[process, title] = self._named(process, title)
        packet.track_descriptor.counter.SetInParent()
        return packet

    def _named(self, process: int, title: str) -> tuple[TracePacket, int]:
        packet, uuid = self._track()
        packet.track_descriptor.parent_uuid = self._processes[process]
        packet.track_descriptor.name = printable(title)
        return packet, uuid

    def _track(self) -> tuple[TracePacket, int]:
        packet, uuid = self._packet(), self.next_uuid
        packet.track_descriptor.uuid = uuid
        self.next_uuid += 1
        return packet, uuid


def _annotate(event: Any, attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        annotation = event.debug_annotations.add(name=printable(name))
        if isinstance(value, bool):
            annotation.bool_value = value
        elif isinstance(value, int):
            annotation.int_value = value
        elif isinstance(value, float):
            annotation.double_value = value
        else:
            annotation.string_value = printable(value)
