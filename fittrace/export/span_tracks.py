"""Tracks: on which line of a viewer a span is drawn, and in which order a track's spans begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .fit_facts import Process
from .otel_spans import Span


class Track(NamedTuple):
    """One thread of one process: `number` counts the tracks from 1 in order of appearance."""

    number: int
    process: Process
    thread: str


class Mark(NamedTuple):
    """One moment of a track: a span begins, or the innermost that is open ends (`span` is None)."""

    track: Track
    time_ns: int
    span: Span | None


def marks_of(spans: Iterable[Span]) -> Iterator[Mark]:
    """The moments of all tracks: those of each in order, whatever lies in what."""
    tracks: dict[tuple[int, str], Track] = {}
    ends: dict[Track, list[int]] = {}
    for span in spans:
        place = span.process.number, span.row.thread
        track = tracks.get(place)
        if track is None:
            track = tracks[place] = Track(len(tracks) + 1, span.process, span.row.thread)
            ends[track] = []
        now = span.row.start_ns
        yield from (Mark(track, end, None) for end in ended(ends[track], now))
        yield Mark(track, now, span)
        ends[track].append(span.end_ns)
    for track, open_until in ends.items():
        yield from (Mark(track, end, None) for end in ended(open_until))


def ended(open_until: list[int], now_ns: int | None = None) -> Iterator[int]:
    """Take the ends that are over `now_ns` from those of what is open in a track, the innermost first; None: all.

    >>> open_until = [9, 5, 2]
    >>> list(ended(open_until, 5)), open_until
    ([2, 5], [9])
    """
    while open_until and (now_ns is None or open_until[-1] <= now_ns):
        yield open_until.pop()
