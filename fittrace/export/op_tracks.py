"""Ops for viewers: what TensorFlow ran in the sampled batches, on tracks for each device and thread.

Ops of one thread may overlap, where it is not known that several ran beside each other. Such a thread has as many
tracks as it takes for what is on each to lie one after, or one inside, the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..tables import TraceTables
from ..tables.database import row_dicts
from .span_tracks import ended


class Lane(NamedTuple):
    """One track: `number` counts those of a run from 1 in order of appearance."""

    number: int
    process: int
    title: str


class DrawnOp(NamedTuple):
    """One op, or one step of the data pipeline: what it is called, its kind, and its time."""

    name: str
    category: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]


class OpMark(NamedTuple):
    """One moment of a track: an op begins, or the innermost that is open ends (`op` is None)."""

    lane: Lane
    time_ns: int
    op: DrawnOp | None


def op_marks_of(trace: TraceTables) -> Iterator[OpMark]:
    """The moments of all tracks of a trace of one run. Those of one track come in order."""
    # By process and thread: each of its tracks, with the ends of the ops that are open there, the innermost last.
    lanes: dict[tuple[int, str], list[tuple[Lane, list[int]]]] = {}
    count = 0
    for row in row_dicts(trace.relation(_OPS)):
        process, track = row.pop("process"), row.pop("track")
        of_track = lanes.setdefault((process, track), [])
        op = _op(row)
        for lane, open_until in of_track:
            yield from (OpMark(lane, end, None) for end in ended(open_until, op.start_ns))
        free = next(((lane, ends) for lane, ends in of_track if not ends or op.end_ns <= ends[-1]), None)
        if free is None:
            count += 1
            title = track if not of_track else f"{track} ({len(of_track) + 1})"
            free = Lane(count, process, title), []
            of_track.append(free)
        lane, open_until = free
        yield OpMark(lane, op.start_ns, op)
        open_until.append(op.end_ns)
    for of_track in lanes.values():
        for lane, open_until in of_track:
            yield from (OpMark(lane, end, None) for end in ended(open_until))


def _op(row: dict[str, Any]) -> DrawnOp:
    start, category = row.pop("start_ns"), row.pop("category")
    attributes = {f"keras.{key}": value for key, value in row.items() if value is not None and key != "duration_ns"}
    return DrawnOp(str(row["name"]), category, start, start + row["duration_ns"], attributes)


_OPS = """
    SELECT process, concat_ws(' ', device, thread) AS track, 'op' AS category, fit, stage, epoch, batch, name, type,
        kernel, shapes, memory_bytes, start_ns, duration_ns FROM ops
    UNION ALL
    SELECT process, concat_ws(' ', device, thread), 'data_pipeline', fit, stage, epoch, batch, name, type,
        NULL, shapes, NULL, start_ns, duration_ns FROM data_pipeline
    ORDER BY start_ns, duration_ns DESC, name
"""
