"""The elements of a hook pattern, and the error for a pattern with a mistake."""

from __future__ import annotations

from dataclasses import dataclass

from ...schema.errors import FittraceError


class PatternError(FittraceError, SyntaxError):
    """A hook pattern has a mistake. It shows line and column, as Python's own syntax errors do.

    - `message`: what is wrong and how to correct it, on one line.
    - `line`: the text of the line with the mistake.
    - `line_number`: the number of that line in the pattern, from 1.
    - `column`: where in the line the mistake is, from 1.

    >>> error = PatternError("'on_epok_end' is no hook; did you mean on_epoch_end?", "on_epok_end", 1, 1)
    >>> error.lineno, error.offset, error.text
    (1, 1, 'on_epok_end')
    """

    def __init__(self, message: str, line: str, line_number: int, column: int) -> None:
        super().__init__(message, ("<hook pattern>", line_number, column, line))


@dataclass(frozen=True)
class Hook:
    """One pass of the hook `name`. With a `callback`, one call for that callback; `any` stands for every callback."""

    name: str
    callback: str | None = None

    def takes(self, hook: str, callback: str) -> bool:
        """Whether a call of `hook` for `callback` matches.

        >>> Hook("on_epoch_end", "any").takes("on_epoch_end", "History")
        True
        """
        return hook == self.name and self.callback in (None, "any", callback)

    def __str__(self) -> str:
        return self.name if self.callback is None else f"{self.callback}.{self.name}"


@dataclass(frozen=True)
class Anything:
    """One pass of any hook. `...` in a pattern is any number of these."""

    def __str__(self) -> str:
        return "..."


@dataclass(frozen=True)
class Sequence:
    """All `items` in their order."""

    items: tuple[Pattern, ...]


@dataclass(frozen=True)
class Choice:
    """One of the `options`."""

    options: tuple[Pattern, ...]


@dataclass(frozen=True)
class Repeat:
    """The `body` again and again.

    - `least`: how many times at least.
    - `most`: how many times at most; None for any number.
    """

    body: Pattern
    least: int
    most: int | None


@dataclass(frozen=True)
class Each:
    """The `body` once for each epoch or batch.

    - `unit`: `epoch` or `batch`.
    - `least`: how many turns at least.
    - `most`: how many turns at most; None for any number.
    """

    unit: str
    body: Pattern
    least: int = 1
    most: int | None = None


Pattern = Hook | Anything | Sequence | Choice | Repeat | Each
