"""Where the user is in a replay, and the breakpoints that are set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..replay.breakpoints import Breakpoint
from ..replay.cursor import Replay
from ..replay.step import Step


@dataclass(frozen=True)
class UserBreakpoint:
    """A breakpoint that the user has set."""

    where: Breakpoint
    temporary: bool = False
    "Whether it is removed when it has stopped once."


@dataclass
class Position:
    """Where the user is."""

    replay: Replay
    breakpoints: dict[int, UserBreakpoint] = field(default_factory=dict)
    "By number."
    frame: int | None = None
    "The selected frame, counted from the outermost, 0. None is the innermost, at the position of the replay."
    _last_number: int = 0

    @property
    def step(self) -> Step:
        """The current step of the selected frame."""
        return self.replay.current if self.frame is None else self.replay.stack()[self.frame]

    def move(self, move: Callable[[Replay], Step | None]) -> Step | None:
        """Move the replay, and select the innermost frame. Returns None, and changes nothing, if there is no step."""
        step = move(self.replay)
        if step is not None:
            self.frame = None
        return step

    def select_frame(self, offset: int) -> bool:
        """Select the frame that is `offset` frames further in, or out if it is negative. False if it is the same."""
        innermost = len(self.replay.stack()) - 1
        before = innermost if self.frame is None else self.frame
        after = min(max(before + offset, 0), innermost)
        self.frame = None if after == innermost else after
        return after != before

    def add_breakpoint(self, where: Breakpoint, temporary: bool = False) -> int:
        """Set a breakpoint. Returns its number."""
        self._last_number += 1
        self.breakpoints[self._last_number] = UserBreakpoint(where, temporary)
        return self._last_number

    def run_to_breakpoint(self, backwards: bool) -> int | None:
        """Move to the nearest breakpoint. Returns its number, or None if the fit's end came first."""
        start = self.replay.position
        stops: dict[int, int] = {}
        try:
            for number, breakpoint in self.breakpoints.items():
                self.replay.position = start
                step = self.replay.find(breakpoint.where, backwards)
                if step is not None:
                    stops[number] = step.index
        except BaseException:
            # The user may interrupt a long search. Then the position must be as before.
            self.replay.position = start
            raise
        self.frame = None
        if not stops:
            self.replay.position = 0 if backwards else len(self.replay) - 1
            return None
        nearest = (max if backwards else min)(stops, key=lambda number: stops[number])
        self.replay.position = stops[nearest]
        for number, index in stops.items():
            if index == stops[nearest] and self.breakpoints[number].temporary:
                del self.breakpoints[number]
        return nearest
