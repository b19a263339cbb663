"""A place in a replay, and the walk over them."""

# ruff: noqa: D102
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .breakpoints import Breakpoint


@dataclass(frozen=True)
class Step:
    """One visit to a statement of the engine's source."""

    index: int
    function: str | None
    file: str | None
    line: int | None
    end_line: int | None
    source: str
    phase: str | None
    depth: int
    stage: str | None
    epoch: int | None
    batch: int | None
    start_ns: int | None
    duration_ns: int | None
    values: dict[str, Any]

    @property
    def known(self) -> bool:
        return self.function is not None


class Replay(Protocol):
    """The steps of a fit in order, and a position among them."""

    position: int

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Step: ...
    def __iter__(self) -> Iterator[Step]: ...
    @property
    def current(self) -> Step: ...
    def forward(self) -> Step | None: ...
    def back(self) -> Step | None: ...
    def over(self) -> Step | None: ...
    def over_back(self) -> Step | None: ...
    def out(self) -> Step | None: ...
    def out_back(self) -> Step | None: ...
    def goto(self, epoch: int, batch: int | None = None, stage: str | None = None) -> Step: ...
    def find(self, where: Breakpoint, backwards: bool = False) -> Step | None: ...
    def stack(self) -> list[Step]: ...
    def source_of(self, step: Step) -> Sequence[str]: ...
    def function_lines(self, step: Step) -> tuple[int, int] | None: ...
