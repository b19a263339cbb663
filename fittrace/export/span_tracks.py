"""Tracks of spans for viewers: one for each thread, with the begins and ends of its spans in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .fit_facts import Process
from .otel_spans import Span


class Track(NamedTuple):
    """One thread of one process.

    - `number`: counts the tracks of a run from 1, in order of appearance.
    - `process`: the process.
    - `thread`: the name of the thread.
    """

    number: int
    process: Process
    thread: str


class Mark(NamedTuple):
    """A begin or an end at `time_ns` on a track: `span` begins there. If it is None, the innermost open span ends."""

    track: Track
    time_ns: int
    span: Span | None


def marks_of(spans: Iterable[Span]) -> Iterator[Mark]:
    """The begins and ends on all tracks. Those of a track are sorted by time and properly nested.

    `spans` are sorted by start, each before the spans inside it.
    """
    tracks: dict[tuple[int, str], Track] = {}
    ends: dict[Track, list[int]] = {}
    for span in spans:
        thread = span.process.number, span.row.thread
        track = tracks.get(thread)
        if track is None:
            track = tracks[thread] = Track(len(tracks) + 1, span.process, span.row.thread)
            ends[track] = []
        now = span.row.start_ns
        yield from (Mark(track, end, None) for end in ended(ends[track], now))
        yield Mark(track, now, span)
        ends[track].append(span.end_ns)
    for track, open_until in ends.items():
        yield from (Mark(track, end, None) for end in ended(open_until))


def ended(open_until: list[int], now_ns: int | None = None) -> Iterator[int]:
    """Remove the ends that are not after `now_ns`, and yield them, the innermost first.

    - `open_until`: the end times of a track's open spans, the innermost last.
    - `now_ns`: the present time. None: all ends are removed.

    >>> open_until = [9, 5, 2]
    >>> list(ended(open_until, 5)), open_until
    ([2, 5], [9])
    """
    while open_until and (now_ns is None or open_until[-1] <= now_ns):
        yield open_until.pop()
