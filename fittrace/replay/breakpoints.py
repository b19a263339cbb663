"""Breakpoints: where a walk through a replay stops, as plain data that can be looked for without walking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from ..schema.tables import PHASES
from .condition.parser import BadCondition, Condition

if TYPE_CHECKING:
    from .step import Step

PLACE = frozenset({"epoch", "batch", "stage", "phase", "function", "line", "depth", "taken"})
"""The names of values that any step may have; all others are those of hooks, and of the logs that they see."""

_SAME_HOOK = {
    name: frozenset({f"on_batch_{when}", f"on_train_batch_{when}"})
    for when in ("begin", "end")
    for name in (f"on_batch_{when}", f"on_train_batch_{when}")
}
"""Keras 2.2 has another word than later versions for the hooks of a training batch."""


class BadBreakpoint(FittraceError):
    """A text, or a set of values, that describes no breakpoint."""


@dataclass(frozen=True)
class Breakpoint:
    """Where to stop: at each step of which all that is given is true.

    - `line` of `file`: a visit of the statement on that line. The file is a path's end, such as `training_arrays.py`;
      without one it is any file.
    - `function`: the first step of a call of it. Its name may be qualified: `fit` is also `Model.fit`.
    - `phase`: the first step of that phase.
    - `hook`, `callback`: the step that calls that hook, or a hook of that callback.
    - `condition`: a condition on the step's recorded values (`fittrace.replay.condition.parser`). One that names more
      than the place (`epoch`, `batch`, `stage`, `phase`, `function`, `line`, `depth`, `taken`) is asked at calls of
      hooks.

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
            raise BadBreakpoint("a breakpoint anywhere; give a line, function, hook, callback, phase or condition")
        if self.condition is not None:
            object.__setattr__(self, "test", Condition.parse(self.condition))

    @classmethod
    def parse(cls, text: str, file: str | None = None) -> Breakpoint:
        """Read what a user writes: `FILE:LINE`, `LINE` (of `file`), `FUNCTION`, `hook NAME`, `callback NAME`,
        `phase NAME`, several of the last three, and after a comma a condition; or a condition alone.

        >>> Breakpoint.parse("training_arrays.py:205, epoch > 2")
        Breakpoint(file='training_arrays.py', line=205, condition='epoch > 2')
        >>> Breakpoint.parse("callback EarlyStopping hook on_epoch_end")
        Breakpoint(hook='on_epoch_end', callback='EarlyStopping')
        >>> Breakpoint.parse("loss > 2")
        Breakpoint(condition='loss > 2')
        """
        where, comma, condition = (part.strip() for part in text.partition(","))
        given: dict[str, Any] = {"condition": condition} if comma else {}
        words = where.split()
        if len(words) > 1 and len(words) % 2 == 0 and set(words[::2]) <= {"hook", "callback", "phase", "function"}:
            given.update(zip(words[::2], words[1::2], strict=True))
        elif re.fullmatch(r"\d+", where):
            given.update(file=file, line=int(where))
        elif match := re.fullmatch(r"(.+):(\d+)", where):
            given.update(file=match[1], line=int(match[2]))
        elif re.fullmatch(r"[\w.<>]+", where):
            given.update(function=where)
        else:
            try:
                Condition.parse(text)
            except BadCondition:
                raise BadBreakpoint(
                    f"{printable(text)!r} is no place; write FILE:LINE, LINE, FUNCTION, hook NAME, callback NAME,"
                    " phase NAME or a condition such as: loss > 2"
                ) from None
            given = {"condition": text.strip()}
        return cls(**given)

    @property
    def hooks(self) -> frozenset[str]:
        """The names of `hook` in all engines; empty where it is not given."""
        return frozenset() if self.hook is None else _SAME_HOOK.get(self.hook, frozenset({self.hook}))

    def is_on(self, file: str | None, line: int | None, end_line: int | None) -> bool:
        """Whether a statement is that of `file` and `line`, or these are not given.

        >>> Breakpoint(file="engine/training.py", line=7).is_on("/lib/keras/engine/training.py", 6, 8)
        True
        """
        if self.line is None:
            return True
        if file is None or line is None or end_line is None:
            return False
        # A trace may come from another system.
        kind = PureWindowsPath if "\\" in file else PurePosixPath
        wanted = kind(self.file or "").parts
        return line <= self.line <= end_line and (not wanted or kind(file).parts[-len(wanted) :] == wanted)

    def is_in(self, function: str | None) -> bool:
        """Whether a function, by its qualified name, is the given one, or none is given.

        >>> Breakpoint(function="fit").is_in("Model.fit"), Breakpoint(function="fit").is_in("Model.refit")
        (True, False)
        """
        return self.function is None or (function is not None and f".{function}".endswith(f".{self.function}"))

    def matches(self, step: Step, enters: bool, opens: bool) -> bool:
        """Whether to stop at `step`, which `enters` its function, and `opens` its phase, or does not."""
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
    """What conditions can name at a step: its values, the keys of its logs, and where it is.

    Of a key that a hook changed it is the value after, of one that it removed the value before.
    """
    before, after = (step.values.get(name) or {} for name in ("logs_before", "logs"))
    place = {name: getattr(step, name) for name in ("epoch", "batch", "stage", "phase", "function", "line", "depth")}
    return {**before, **after, **place, **step.values}
