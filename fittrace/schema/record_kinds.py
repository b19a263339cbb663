"""The kinds of record in a journal: what each does to frames and spans, and which operands it has.

Add a new kind to `KINDS`. `open_frames` needs nothing but this table. Then check the readers that are made for speed:
the load shedder, live spans, the replay's walk and the derivation. A test compares each of them with `open_frames`.

Capture reads this table too, on Python 3.7. So the module uses the standard library only.
"""

from __future__ import annotations

from enum import IntEnum
from typing import FrozenSet, NamedTuple, Tuple


class Effect(IntEnum):
    """What a record does to the frames and spans that are open in its thread.

    A frame is one call of an engine's function, and spans are open in a frame. A site's `depth` is how many spans of
    its frame stay open; its `phases` are those of the spans that it opens.
    """

    ENTER_FRAME = 0  # Begins a frame inside the innermost one, and opens the site's phases in it.
    END_FRAME = 1  # Closes all spans of the innermost frame and ends this frame.
    OPEN_SPANS = 2  # Closes the spans of its frame above the site's depth, then opens the site's phases.
    CLOSE_SPANS = 3  # Closes the spans of its frame above the site's depth. It opens nothing.
    DESCRIBE = 4  # Says something about its frame. It opens and closes nothing.
    SHOW_FLOW = 5  # Says where control is. It opens and closes nothing.


class RecordKind(NamedTuple):
    """One kind of record: its effect on frames and spans, and the names of the operands that follow its head."""

    effect: Effect
    operands: Tuple[str, ...]


KINDS: dict[str, RecordKind] = {
    # Times are nanoseconds of the process' monotonic clock. An absent number is `journal_format.ABSENT`.
    "call": RecordKind(Effect.ENTER_FRAME, ("time",)),
    # A callback list passes a hook on. `owner` is the identity of the list, `number` that of the batch or epoch.
    "hooks": RecordKind(Effect.ENTER_FRAME, ("time", "owner", "number")),
    "leave": RecordKind(Effect.END_FRAME, ("time",)),
    # An exception ends the frame. `line` is where in the function it was raised.
    "raise": RecordKind(Effect.END_FRAME, ("time", "text", "line")),
    "open": RecordKind(Effect.OPEN_SPANS, ("time",)),
    # One turn of a loop, over the batches `number` to `last`. `first` is the position of the batch's first sample in
    # the order that an `order` record told before; absent where the order is not kept.
    "turn": RecordKind(Effect.OPEN_SPANS, ("time", "number", "last", "size", "first")),
    # One callback's hook begins at `time`; what was open before it has ended at `end`.
    "hook": RecordKind(Effect.OPEN_SPANS, ("end", "time", "class")),
    "close": RecordKind(Effect.CLOSE_SPANS, ("time",)),
    "hooked": RecordKind(Effect.CLOSE_SPANS, ("time",)),
    # fittrace does something for itself from here on.
    "aside": RecordKind(Effect.CLOSE_SPANS, ("time",)),
    # Which hook the frame passes on, as the number of a text, where the site does not say it.
    "named": RecordKind(Effect.DESCRIBE, ("hook",)),
    # Logs, and variables. Each key has as many values as its kind needs: two for `n` (the low and high half of a
    # float64), one for `i` (a whole number below `journal_format.WHOLE`) and `t` (the number of a text).
    "state": RecordKind(Effect.DESCRIBE, ("keys", "values")),
    "values": RecordKind(Effect.DESCRIBE, ("keys", "values")),
    # The batches that a loop will make; `batch_sizes` explains the operands and applies them.
    "sizes": RecordKind(Effect.DESCRIBE, ("size", "partial", "count", "steps")),
    # The order of the samples in the batches to come: the number of an `ORDER` block (absent: not kept), its length.
    "order": RecordKind(Effect.DESCRIBE, ("order", "samples")),
    # What the model's `stop_training` has become.
    "stop": RecordKind(Effect.DESCRIBE, ("text",)),
    # The number of the `METADATA` block of the batch that is under way.
    "sampled": RecordKind(Effect.DESCRIBE, ("metadata",)),
    # A `tf.function` is traced anew.
    "traced": RecordKind(Effect.DESCRIBE, ()),
    # An arm of a branch, or a turn of a loop, begins.
    "step": RecordKind(Effect.SHOW_FLOW, ()),
    # A statement begins that has a clock of its own.
    "line": RecordKind(Effect.SHOW_FLOW, ("time",)),
    # A function, or a turn of a generator, that opens no span: it begins; it ends; an exception raised at `line` ends
    # it.
    "enter": RecordKind(Effect.SHOW_FLOW, ()),
    "exit": RecordKind(Effect.SHOW_FLOW, ()),
    "thrown": RecordKind(Effect.SHOW_FLOW, ("line",)),
    # An exception, raised at `line`, is caught or passes a `finally`.
    "raised": RecordKind(Effect.SHOW_FLOW, ("line",)),
    # Records were left out here.
    "gap": RecordKind(Effect.SHOW_FLOW, ()),
}
"""Each kind by the name that a site's definition gives it."""


def kinds_that(*effects: Effect) -> FrozenSet[str]:
    """The kinds of record that have one of these effects.

    >>> sorted(kinds_that(Effect.END_FRAME))
    ['leave', 'raise']
    """
    return frozenset(kind for kind, facts in KINDS.items() if facts.effect in effects)


ENTER_FRAMES = kinds_that(Effect.ENTER_FRAME)
END_FRAMES = kinds_that(Effect.END_FRAME)
CLOSE_SPANS = kinds_that(Effect.CLOSE_SPANS)
SHOW_FLOW = kinds_that(Effect.SHOW_FLOW)
ANNOTATIONS = kinds_that(Effect.DESCRIBE, Effect.SHOW_FLOW)
"""The kinds that open and close nothing."""
CLOCKED = frozenset(kind for kind, facts in KINDS.items() if "time" in facts.operands)
"""The kinds whose records have a moment of their own."""
WITH_VALUES = frozenset(kind for kind, facts in KINDS.items() if "values" in facts.operands)
"""The kinds whose records have as many operands as their keys need values."""
RAISED_AT = frozenset(kind for kind, facts in KINDS.items() if "line" in facts.operands)
"""The kinds whose records tell the line where an exception was raised."""


def depth_of(kind: str, depth: int) -> int:
    """How many spans of its frame a record leaves open; `depth` is what its site says.

    Only records that keep their frame have a depth: a frame begins empty and ends empty.
    """
    return depth if KINDS[kind].effect in (Effect.OPEN_SPANS, Effect.CLOSE_SPANS) else 0


def opened_phases(kind: str, phases: Tuple[str, ...]) -> Tuple[str, ...]:
    """The phases that a record opens: those of its site, `phases`, if its kind opens spans.

    >>> opened_phases("open", ("batch", "slice")), opened_phases("close", ("batch",))
    (('batch', 'slice'), ())
    """
    return phases if KINDS[kind].effect in (Effect.ENTER_FRAME, Effect.OPEN_SPANS) else ()
