"""The state of an open span, for live spans and metrics."""

from __future__ import annotations

from typing import Any, Sequence

from ..capture.sites import Site
from ..schema.journal_format import ABSENT
from .contexts import AttachedContext


class BatchMeasurement:
    """The measurements of an open batch.

    - `phase_ns`: the nanoseconds in each phase.
    - `hooks`: the spans of callbacks' hooks that are over, with their durations in nanoseconds.
    """

    __slots__ = ("hooks", "phase_ns")

    def __init__(self) -> None:
        self.phase_ns: dict[str, int] = {}
        self.hooks: list[tuple[OpenSpan, int]] = []


class OpenSpan:
    """One span that is open in a thread.

    Where it is:

    - `phase`: its phase; empty if it is not followed.
    - `begins_fit`: whether it begins a fit.
    - `fit`: the span that begins its fit; itself if it is in no fit.
    - `stage`, `epoch`, `batch`: as Keras counts them; None if unknown.
    - `hook`, `callback`: the hook that is called in it, and the class whose hook it is.

    How it is sent:

    - `span`: the span of OpenTelemetry; None where it is not sent.
    - `context`: OpenTelemetry's context of the nearest span that is sent: this one, or one around it.
    - `attached`: what makes it current in this thread, from begin to end.
    - `innermost_attached`: the innermost span of ours that is current in this thread: this one, or one around it.
    - `is_unsent`: nothing in it is sent, but for fits that begin in it.
    - `error`: an exception on its way out of it.

    For a fit:

    - `anchor`: the span in which hooks on other threads are: the fit, its epoch or its validation.
    - `sizes`: the `sizes` record of each loop, by function and stage.

    For an epoch or a validation: `outer_anchor` is the fit's anchor before it.

    For a batch:

    - `is_batch`: whether it is a batch. On another thread, a hook of a batch counts as one too.
    - `turn`: the record that gave it its number, where it was counted.
    - `has_turn`: whether a turn of the loop gave it its number. Without one it is no batch but a fetch that found no
      data.
    - `has_run`: whether hooks at its end are called.
    - `is_stopped`: whether an exception left something in it before.
    - `is_retraced`: whether a `tf.function` was retraced in it.

    Batches that are left out:

    - `stand_in`: stands in turn for each batch in this span that is left out.
    - `is_left_out`: whether it is such a stand-in, or in one.

    What is measured:

    - `begin_ns`: when it began, on the process' clock.
    - `inner_ns`: the nanoseconds in the spans inside it.
    - `hook_count`: how many hooks of callbacks have begun in it.
    - `measurement`: the measurements of its batch.
    """

    __slots__ = (
        "anchor", "attached", "batch", "begin_ns", "begins_fit", "callback", "context", "epoch", "error", "fit",
        "has_run", "has_turn", "hook", "hook_count", "inner_ns", "innermost_attached", "is_batch", "is_left_out",
        "is_retraced", "is_stopped", "is_unsent", "measurement", "outer_anchor", "phase", "sizes", "span", "stage",
        "stand_in", "turn",
    )  # fmt: skip

    def __init__(self, phase: str, around: "OpenSpan | None", begin_ns: int = 0) -> None:
        self.phase = phase
        self.begin_ns = begin_ns
        self.inner_ns = 0
        self.is_batch = False
        self.is_retraced = self.has_run = self.is_stopped = False
        self.turn: Sequence[int] | None = None
        self.error: BaseException | None = None
        self.callback: str | None = None
        self.sizes: dict[tuple[str, str | None], Sequence[int]] | None = None
        self.span: Any = None
        self.attached: AttachedContext | None = None
        self.begins_fit = False
        self.has_turn = False
        self.hook_count = 0
        self.outer_anchor: OpenSpan | None = None
        self.anchor: OpenSpan = self
        self.stand_in: OpenSpan | None = None
        self.hook: str | None = None
        if around is None:
            self.context: Any = None
            self.innermost_attached: AttachedContext | None = None
            self.is_unsent = self.is_left_out = False
            self.measurement: BatchMeasurement | None = None
            self.fit: OpenSpan = self
            self.stage: str | None = None
            self.epoch: int | None = None
            self.batch: int | None = None
        else:
            self.context, self.innermost_attached = around.context, around.innermost_attached
            self.is_unsent, self.is_left_out = around.is_unsent, around.is_left_out
            self.measurement, self.fit = around.measurement, around.fit
            self.stage, self.epoch, self.batch = around.stage, around.epoch, around.batch

    def locate(self, site: Site, around: "OpenSpan | None", begins_fit: bool, number: int) -> None:
        """Set its fit, stage, epoch and batch.

        - `site`: the site that opens it.
        - `around`: the span around it. None if there is none.
        - `begins_fit`: whether it begins a fit.
        - `number`: the number of the epoch or batch, whichever the site counts. ABSENT if unknown.
        """
        if begins_fit:
            self.begins_fit, self.fit = True, self
            self.epoch = self.batch = self.measurement = None
            self.is_left_out = False
        if site.stage is not None:
            self.stage = site.stage
        elif around is not None and around.phase == "validation":
            self.stage = "test"
        if number != ABSENT and site.counts == "epoch":
            self.epoch = number
        elif number != ABSENT and site.counts == "batch":
            self.batch = number

    def left_out_batch(self, phase: str) -> "OpenSpan":
        """The stand-in for the next batch in this span that is left out. It is the same object for each such batch."""
        stand_in = self.stand_in
        if stand_in is None:
            stand_in = self.stand_in = OpenSpan(phase, self)
            stand_in.is_unsent = stand_in.is_left_out = stand_in.is_batch = True
            stand_in.measurement = None
        stand_in.has_turn = stand_in.is_retraced = stand_in.has_run = stand_in.is_stopped = False
        return stand_in
