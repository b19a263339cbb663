"""Open frames: which spans are open in a thread after each of its records.

This is the plainest reading of `record_kinds`: one record after the other, one list of spans per frame. The load
shedder, live spans, the replay's walk and the derivation do the same faster or with arrays. Tests hold each to this.
"""

from __future__ import annotations

from typing import Generic, Iterable, TypeVar

from .record_kinds import KINDS, Effect, depth_of

Span = TypeVar("Span")


class OpenFrames(Generic[Span]):
    """The open frames of one thread, outermost first. A frame is the list of its open spans, outermost first.

    The caller decides what stands for a span. After lost records, a record may say that more spans of its frame are
    open than are known. Then None stands for each unknown span.
    """

    def __init__(self) -> None:
        self.frames: list[list[Span | None]] = []

    @property
    def spans(self) -> list[Span]:
        """All spans that are open, outermost first."""
        return [span for frame in self.frames for span in frame if span is not None]

    def record(self, kind: str, depth: int, opened: Iterable[Span]) -> list[Span]:
        """Take the next record: its kind, the depth of its site, and the spans that it opens.

        Returns the spans that it closes, outermost first. A record outside of any known frame does nothing.

        >>> open_frames = OpenFrames()
        >>> open_frames.record("call", 0, ["fit"]), open_frames.record("open", 1, ["prepare"])
        ([], [])
        >>> open_frames.record("open", 1, ["epoch", "batch"]), open_frames.spans
        (['prepare'], ['fit', 'epoch', 'batch'])
        >>> open_frames.record("leave", 0, []), open_frames.frames
        (['fit', 'epoch', 'batch'], [])
        """
        closed = self.close(kind, depth)
        self.open(kind, depth, opened)
        return closed

    def close(self, kind: str, depth: int) -> list[Span]:
        """Do the first half of `record`: enter or end a frame, and close spans. Returns those, outermost first."""
        effect = KINDS[kind].effect
        if effect is Effect.ENTER_FRAME:
            self.frames.append([])
        if not self.frames or effect in (Effect.DESCRIBE, Effect.SHOW_FLOW):
            return []
        frame, kept = self.frames[-1], depth_of(kind, depth)
        closed = [span for span in frame[kept:] if span is not None]
        del frame[kept:]
        if effect is Effect.END_FRAME:
            self.frames.pop()
        return closed

    def open(self, kind: str, depth: int, opened: Iterable[Span]) -> None:
        """Do the second half of `record`: open spans at the depth of the record."""
        spans = list(opened)
        if self.frames and spans:
            frame = self.frames[-1]
            frame += [None] * (depth_of(kind, depth) - len(frame))
            frame += spans
