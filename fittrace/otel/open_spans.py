"""What a follower keeps of a span that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from ..capture.sites import Site
from ..schema.journal_format import ABSENT
from .contexts import AttachedContext

if TYPE_CHECKING:
    from .metrics.measurements import SpanMeasurement


class OpenSpan:
    """One span that is open: sent as `span`, or None.

    `nearest` is the context of the nearest that is sent, itself or around it; `inside` is what of ours is current in
    this thread. Nothing is sent of what is in one that `is_out`. `fit` is the root that it belongs to, whose `anchor`
    is where hooks on other threads are. `left_out` stands for each batch in it of which nothing is followed, one after
    the other; what is in such a one `is_spared`. `inner_ns` is the time in the spans in it, and `measured` gathers what
    is measured of the batch that it is in. `turn` is the record that gave a batch its number, where it was counted. A
    batch `has_run` once hooks at its end are called; one that `is_stopped` was left by an exception before. `error` is
    an exception on its way out of the span.
    """

    __slots__ = (
        "anchor", "attached", "batch", "begin_ns", "begins", "callback", "epoch", "error", "fit", "has_run", "hook",
        "inner_ns", "inside", "is_batch", "is_out", "is_spared", "is_stopped", "left_out", "measured", "nearest",
        "outer", "phase", "retraced", "seen", "sizes", "span", "stage", "turn", "turned",
    )  # fmt: skip

    def __init__(self, phase: str, around: "OpenSpan | None", begin_ns: int = 0) -> None:
        self.phase = phase
        self.begin_ns = begin_ns
        self.inner_ns = 0
        self.is_batch = False
        self.retraced = self.has_run = self.is_stopped = False
        self.turn: Sequence[int] | None = None
        self.error: BaseException | None = None
        self.callback: str | None = None
        self.sizes: dict[tuple[str, str | None], Sequence[int]] | None = None
        self.span: Any = None
        self.attached: AttachedContext | None = None
        self.begins = False
        self.turned = False
        self.seen = 0
        self.outer: OpenSpan | None = None
        self.anchor: OpenSpan = self
        self.left_out: OpenSpan | None = None
        self.hook: str | None = None
        if around is None:
            self.nearest: Any = None
            self.inside: AttachedContext | None = None
            self.is_out = self.is_spared = False
            self.measured: SpanMeasurement | None = None
            self.fit: OpenSpan = self
            self.stage: str | None = None
            self.epoch: int | None = None
            self.batch: int | None = None
        else:
            self.nearest, self.inside = around.nearest, around.inside
            self.is_out, self.is_spared = around.is_out, around.is_spared
            self.measured, self.fit = around.measured, around.fit
            self.stage, self.epoch, self.batch = around.stage, around.epoch, around.batch

    def place(self, site: Site, around: "OpenSpan | None", begins: bool, number: int) -> None:
        """Say where it is: in which stage, epoch and batch, and whether it `begins` a fit."""
        if begins:
            self.begins, self.fit = True, self
            self.epoch = self.batch = self.measured = None
            self.is_spared = False
        if site.stage is not None:
            self.stage = site.stage
        elif around is not None and around.phase == "validation":
            self.stage = "test"
        if number != ABSENT and site.counts == "epoch":
            self.epoch = number
        elif number != ABSENT and site.counts == "batch":
            self.batch = number

    def leaving_out(self, phase: str) -> "OpenSpan":
        """What stands for a batch in this of which nothing is followed; the same again and again."""
        one = self.left_out
        if one is None:
            one = self.left_out = OpenSpan(phase, self)
            one.is_out = one.is_spared = one.is_batch = True
            one.measured = None
        one.turned = one.retraced = one.has_run = one.is_stopped = False
        return one
