"""What a follower keeps of a span that is open."""

from __future__ import annotations

from typing import Any

from ..capture.sites import Site
from ..schema.journal import ABSENT
from .contexts import Attached


class Open:
    """One span that is open: sent as `span`, or None.

    `nearest` is the context of the nearest that is sent, itself or around it; `inside` is what of ours is current in
    this thread. Nothing is sent of what is in one that `is_out`. `fit` is the root that it belongs to, whose `anchor`
    is where hooks on other threads are. `left_out` stands for each batch in it that is not sent, one after the other.
    """

    __slots__ = (
        "anchor", "attached", "batch", "begins", "epoch", "fit", "hook", "inside", "is_out", "left_out", "nearest",
        "outer", "phase", "seen", "span", "stage", "turned",
    )  # fmt: skip

    def __init__(self, phase: str, around: "Open | None") -> None:
        self.phase = phase
        self.span: Any = None
        self.attached: Attached | None = None
        self.begins = False
        self.turned = False
        self.seen = 0
        self.outer: Open | None = None
        self.anchor: Open = self
        self.left_out: Open | None = None
        self.hook: str | None = None
        if around is None:
            self.nearest: Any = None
            self.inside: Attached | None = None
            self.is_out = False
            self.fit: Open = self
            self.stage: str | None = None
            self.epoch: int | None = None
            self.batch: int | None = None
        else:
            self.nearest, self.inside = around.nearest, around.inside
            self.is_out, self.fit = around.is_out, around.fit
            self.stage, self.epoch, self.batch = around.stage, around.epoch, around.batch

    def place(self, site: Site, around: "Open | None", begins: bool, number: int) -> None:
        """Say where it is: in which stage, epoch and batch, and whether it `begins` a fit."""
        if begins:
            self.begins, self.fit = True, self
            self.epoch = self.batch = None
        if site.stage is not None:
            self.stage = site.stage
        elif around is not None and around.phase == "validation":
            self.stage = "test"
        if number != ABSENT and site.counts == "epoch":
            self.epoch = number
        elif number != ABSENT and site.counts == "batch":
            self.batch = number

    def leaving_out(self, phase: str) -> "Open":
        """What stands for a batch in this that is not sent; the same again and again."""
        one = self.left_out
        if one is None:
            one = self.left_out = Open(phase, self)
            one.is_out = True
        one.turned = False
        return one
