"""A walk through a replay: the position, the frame that is looked at, and the breakpoints that are set."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..replay.breakpoints import Breakpoint
from ..replay.cursor import Replay
from ..replay.step import Step


@dataclass(frozen=True)
class UserBreakpoint:
    """A breakpoint that the user has set; a `temporary` one is gone when it was met."""

    where: Breakpoint
    temporary: bool = False


@dataclass
class Position:
    """Where the user is in `replay`.

    `frame` counts from the outermost frame of the call chain; None is the innermost, where the replay itself is.
    """

    replay: Replay
    breakpoints: dict[int, UserBreakpoint] = field(default_factory=dict)
    frame: int | None = None
    _last_number: int = 0

    @property
    def step(self) -> Step:
        """The step of the frame that is looked at."""
        return self.replay.current if self.frame is None else self.replay.stack()[self.frame]

    def move(self, word: str) -> Step | None:
        """Move by one of the cursor's own steps, such as `over`; None, and nothing moves, at either end."""
        step: Step | None = getattr(self.replay, word)()
        if step is not None:
            self.frame = None
        return step

    def look(self, frames: int) -> bool:
        """Look so many frames further in, or out where negative; as far as there are. Whether that is elsewhere."""
        last = len(self.replay.stack()) - 1
        now = last if self.frame is None else self.frame
        then = min(max(now + frames, 0), last)
        self.frame = None if then == last else then
        return then != now

    def add(self, where: Breakpoint, temporary: bool = False) -> int:
        """Set a breakpoint; its number."""
        self._last_number += 1
        self.breakpoints[self._last_number] = UserBreakpoint(where, temporary)
        return self._last_number

    def run(self, backwards: bool) -> int | None:
        """Go to the nearest breakpoint; its number, or None where there is none and the fit's end is reached."""
        start = self.replay.position
        found: dict[int, int] = {}
        try:
            for number, each in self.breakpoints.items():
                self.replay.position = start
                step = self.replay.find(each.where, backwards)
                if step is not None:
                    found[number] = step.index
        except BaseException:
            self.replay.position = start
            raise
        self.frame = None
        if not found:
            self.replay.position = 0 if backwards else len(self.replay) - 1
            return None
        nearest = (max if backwards else min)(found, key=lambda number: found[number])
        self.replay.position = found[nearest]
        for number, index in found.items():
            if index == found[nearest] and self.breakpoints[number].temporary:
                del self.breakpoints[number]
        return nearest
