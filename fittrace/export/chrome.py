"""Chrome's trace events as JSON. `chrome://tracing`, Perfetto's UI and many other viewers open them.

Texts are made `printable`, because not every viewer escapes what it shows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import IO, Any

from ..schema.safe_text import printable
from ..tables import TraceTables
from .counters import points_of
from .fit_facts import alone, facts_of
from .op_tracks import Lane, op_marks_of
from .otel_spans import spans_of
from .span_tracks import Track, marks_of

Event = dict[str, Any]
_FIRST_LANE = 1 << 20
"""The first thread id of the ops' lanes: larger than the number of any thread."""


def write(trace: TraceTables, file: IO[str]) -> int:
    """Write a trace into `file`. Returns the number of spans.

    Times are microseconds since the beginning of the trace; `otherData` has that beginning. As microseconds since 1970,
    a float could not hold them to the nanosecond.
    """
    origin = min((int(run.facts["start_ns"]) for run in trace.runs), default=0)
    spans = 0
    file.write('{"traceEvents": [\n')
    separator = ""
    for event in _events(trace, origin):
        spans += event["ph"] == "B"
        file.write(separator + json.dumps(event, separators=(",", ":"), allow_nan=False))
        separator = ",\n"
    other = {"start_ns": origin, "runs": [printable(run.name) for run in trace.runs]}
    file.write(f'\n], "displayTimeUnit": "ms", "otherData": {json.dumps(other)}}}\n')
    return spans


def _events(trace: TraceTables, origin: int) -> Iterator[Event]:
    first = 1
    for run in trace.runs:
        tables = alone(run)
        processes = facts_of(tables).processes
        # Numbers instead of process ids: processes of several machines may have the same id.
        pids = {number: pid for pid, number in enumerate(processes, first)}
        first += len(pids)
        for number, process in processes.items():
            yield _named("process_name", pids[number], 0, process.title)
        threads: set[Track] = set()
        for mark in marks_of(spans_of(tables)):
            pid, tid = pids[mark.track.process.number], mark.track.number
            if mark.track not in threads:
                threads.add(mark.track)
                yield _named("thread_name", pid, tid, mark.track.thread)
            event: Event = {"ph": "E", "pid": pid, "tid": tid, "ts": (mark.time_ns - origin) / 1000}
            if mark.span is not None:
                args = {printable(key): _plain(value) for key, value in mark.span.attributes().items()}
                event |= {"ph": "B", "name": printable(mark.span.title), "cat": printable(mark.span.name), "args": args}
            yield event
        yield from _ops(tables, pids, origin)
        for point in points_of(tables):
            if math.isfinite(point.value):
                position = {"pid": pids[point.process], "ts": (point.time_ns - origin) / 1000}
                yield {"ph": "C", "name": printable(point.title), **position, "args": {"value": point.value}}


def _ops(trace: TraceTables, pids: dict[int, int], origin: int) -> Iterator[Event]:
    """The ops as complete events, on lanes beside the tracks of the program's threads."""
    lanes: set[Lane] = set()
    for mark in op_marks_of(trace):
        if mark.op is None:
            continue
        pid, tid = pids[mark.lane.process], _FIRST_LANE + mark.lane.number
        if mark.lane not in lanes:
            lanes.add(mark.lane)
            yield _named("thread_name", pid, tid, mark.lane.title)
        times = {"ts": (mark.op.start_ns - origin) / 1000, "dur": (mark.op.end_ns - mark.op.start_ns) / 1000}
        args = {key: _plain(value) for key, value in mark.op.attributes.items()}
        yield {
            "ph": "X",
            "pid": pid,
            "tid": tid,
            "name": printable(mark.op.name),
            "cat": mark.op.category,
            **times,
            "args": args,
        }


def _named(kind: str, pid: int, tid: int, name: str) -> Event:
    """A metadata event that names a process or a thread."""
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": {"name": printable(name)}}


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it. NaN and infinities become text."""
    if isinstance(value, str):
        return printable(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
