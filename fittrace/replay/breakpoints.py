"""Breakpoints: where a replay stops. They are plain data, so that a search can use them without walking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from ..schema.tables import PHASES
from .condition.parser import BadCondition, Condition
from .step import Step

_LOCATION = ("epoch", "batch", "stage", "phase", "function", "line", "depth")

LOCATION_NAMES = frozenset({*_LOCATION, "taken"})
"""The values that any step may have. All others are those of hooks and their logs."""

_SAME_HOOK = {
    name: frozenset({f"on_batch_{when}", f"on_train_batch_{when}"})
    for when in ("begin", "end")
    for name in (f"on_batch_{when}", f"on_train_batch_{when}")
}
"""The hooks of a training batch have other names in Keras 2.2 than in later versions."""


class BadBreakpoint(FittraceError):
    """A text, or a set of values, that does not describe a breakpoint."""


@dataclass(frozen=True)
class Breakpoint:
    """Where to stop: at each step that meets all the fields that are given.

    - `line`, `file`: the step is a visit to the statement on that line. The file is the end of a path, such as
      `training_arrays.py`. Without a file, it may be any.
    - `function`: the step is the first of a call of that function. `fit` also stands for `Model.fit`.
    - `phase`: the step is the first of that phase.
    - `hook`, `callback`: the step calls that hook, or a hook of that callback.
    - `condition`: the condition holds for the step's recorded values (`fittrace.replay.condition.parser`). If it names
      others than `epoch`, `batch`, `stage`, `phase`, `function`, `line`, `depth` and `taken`, it stops only at hooks.

    >>> Breakpoint(hook="on_epoch_end", condition="val_loss > 2")
    Breakpoint(hook='on_epoch_end', condition='val_loss > 2')
    """

    file: str | None = None
    line: int | None = None
    function: str | None = None
    hook: str | None = None
    callback: str | None = None
    phase: str | None = None
    condition: str | None = None
    test: Condition | None = field(init=False, repr=False, compare=False, default=None)
    "The condition, parsed."

    def __post_init__(self) -> None:
        if self.file is not None and self.line is None:
            raise BadBreakpoint(f"a breakpoint in {printable(self.file)} without a line; write FILE:LINE")
        if self.phase is not None and self.phase not in PHASES:
            raise BadBreakpoint(f"no phase {printable(self.phase)}; they are {', '.join(PHASES)}")
        if all(getattr(self, name) is None for name in _GIVEN):
            raise BadBreakpoint("an empty breakpoint; give a line, function, hook, callback, phase or condition")
        if self.condition is not None:
            object.__setattr__(self, "test", Condition.parse(self.condition))

    @classmethod
    def parse(cls, text: str, file: str | None = None) -> Breakpoint:
        """Parse what a user types: a place, a condition, or both with a comma between them.

        A place is `FILE:LINE`, `LINE` (of `file`), `FUNCTION`, or any of `hook NAME`, `callback NAME`, `phase NAME` and
        `function NAME`. Raises `BadBreakpoint` or `BadCondition` if the text is neither.

        >>> Breakpoint.parse("training_arrays.py:205, epoch > 2")
        Breakpoint(file='training_arrays.py', line=205, condition='epoch > 2')
        >>> Breakpoint.parse("callback EarlyStopping hook on_epoch_end")
        Breakpoint(hook='on_epoch_end', callback='EarlyStopping')
        >>> Breakpoint.parse("loss > 2")
        Breakpoint(condition='loss > 2')
        """
        place, comma, condition = (part.strip() for part in text.partition(","))
        given: dict[str, Any] = {"condition": condition} if comma else {}
        words = place.split()
        if len(words) > 1 and len(words) % 2 == 0 and set(words[::2]) <= {"hook", "callback", "phase", "function"}:
            given.update(zip(words[::2], words[1::2], strict=True))
        elif re.fullmatch(r"\d+", place):
            given.update(file=file, line=int(place))
        elif match := re.fullmatch(r"(.+):(\d+)", place):
            given.update(file=match[1], line=int(match[2]))
        elif re.fullmatch(r"[\w.<>]+", place):
            given.update(function=place)
        else:
            try:
                Condition.parse(text)
            except BadCondition:
                raise BadBreakpoint(
                    f"{printable(text)!r} is not a breakpoint; write FILE:LINE, LINE, FUNCTION, hook NAME,"
                    " callback NAME, phase NAME or a condition such as: loss > 2"
                ) from None
            given = {"condition": text.strip()}
        return cls(**given)

    @property
    def hooks(self) -> frozenset[str]:
        """The names of `hook` in all engines; empty if it is not given."""
        return frozenset() if self.hook is None else _SAME_HOOK.get(self.hook, frozenset({self.hook}))

    def is_on(self, file: str | None, line: int | None, end_line: int | None) -> bool:
        """Whether a statement, by its file and lines, is on the breakpoint's line. True if the breakpoint has none.

        >>> Breakpoint(file="engine/training.py", line=7).is_on("/lib/keras/engine/training.py", 6, 8)
        True
        """
        if self.line is None:
            return True
        if file is None or line is None or end_line is None:
            return False
        # A trace may come from another system.
        path = PureWindowsPath if "\\" in file else PurePosixPath
        wanted = path(self.file or "").parts
        return line <= self.line <= end_line and (not wanted or path(file).parts[-len(wanted) :] == wanted)

    def is_in(self, function: str | None) -> bool:
        """Whether a function, by its qualified name, is the breakpoint's. True if the breakpoint has none.

        >>> Breakpoint(function="fit").is_in("Model.fit"), Breakpoint(function="fit").is_in("Model.refit")
        (True, False)
        """
        return self.function is None or (function is not None and f".{function}".endswith(f".{self.function}"))

    def matches(self, step: Step, enters: bool, opens: bool) -> bool:
        """Whether to stop at a step.

        - `enters`: whether it is the first step of a call of its function.
        - `opens`: whether it is the first step of its phase.
        """
        values = step.values
        return (
            self.is_on(step.file, step.line, step.end_line)
            and (self.function is None or (enters and self.is_in(step.function)))
            and (self.phase is None or (opens and step.phase == self.phase))
            and (self.hook is None or values.get("hook") in self.hooks)
            and (self.callback is None or values.get("callback") == self.callback)
            and (self.test is None or self.test.holds(values_of(step)))
        )

    def __str__(self) -> str:
        line = None if self.line is None else f"{self.file}:{self.line}" if self.file else str(self.line)
        named = [f"{name} {getattr(self, name)}" for name in ("function", "hook", "callback", "phase")]
        given = [text for text in named if not text.endswith(" None")]
        places = " ".join([line, *given] if line else given)
        return printable(f"{places}, {self.condition}" if places and self.condition else places or str(self.condition))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={getattr(self, name)!r}" for name in _GIVEN if getattr(self, name) is not None)
        return f"Breakpoint({given})"


_GIVEN = ("file", "line", "function", "hook", "callback", "phase", "condition")


def values_of(step: Step) -> Mapping[str, Any]:
    """The values that a condition can name at a step: those of the step, the keys of its logs, and its location.

    A key that the hook changed has its value after the hook. A key that it removed has its value before.
    """
    before, after = (step.values.get(name) or {} for name in ("logs_before", "logs"))
    location = {name: getattr(step, name) for name in _LOCATION}
    return {**before, **after, **location, **step.values}
