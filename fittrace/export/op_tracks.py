"""Tracks of TensorFlow's ops in the sampled batches, for viewers.

Each device and thread has at least one track, here called a lane. A viewer draws the slices of a track one after the
other, or one inside the other. The ops of a thread may overlap otherwise. Then the thread gets further lanes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..tables import TraceTables
from ..tables.database import row_dicts
from .span_tracks import ended


class Lane(NamedTuple):
    """One track of ops.

    - `number`: counts the lanes of a run from 1, in order of appearance.
    - `process`: the number of the process.
    - `title`: the name of the track in a viewer.
    """

    number: int
    process: int
    title: str


class DrawnOp(NamedTuple):
    """One op, or one step of the data pipeline, to draw on a lane.

    - `name`: its name.
    - `category`: `op` or `data_pipeline`.
    - `start_ns`, `end_ns`: its time, in Unix nanoseconds.
    - `attributes`: its details, for the viewer to list.
    """

    name: str
    category: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]


class OpMark(NamedTuple):
    """A begin or an end at `time_ns` on a lane: `op` begins there. If `op` is None, the innermost open op ends."""

    lane: Lane
    time_ns: int
    op: DrawnOp | None


def op_marks_of(trace: TraceTables) -> Iterator[OpMark]:
    """The begins and ends on all lanes of a trace of one run. Those of a lane are sorted by time.

    Ops whose process a damaged trace lacks are left out.
    """
    # By process and thread: its lanes, each with the end times of its open ops, the innermost last.
    lanes: dict[tuple[int, str], list[tuple[Lane, list[int]]]] = {}
    count = 0
    for row in row_dicts(trace.relation(_OPS)):
        process, track = row.pop("process"), row.pop("track")
        of_track = lanes.setdefault((process, track), [])
        op = _op(row)
        for lane, open_until in of_track:
            yield from (OpMark(lane, end, None) for end in ended(open_until, op.start_ns))
        # The first lane on which the op fits: no op is open there, or the innermost open op encloses it.
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
        kernel, shapes, memory_bytes, start_ns, duration_ns FROM ops SEMI JOIN processes USING (process)
    UNION ALL
    SELECT process, concat_ws(' ', device, thread), 'data_pipeline', fit, stage, epoch, batch, name, type,
        NULL, shapes, NULL, start_ns, duration_ns FROM data_pipeline SEMI JOIN processes USING (process)
    ORDER BY start_ns, duration_ns DESC, name
"""
