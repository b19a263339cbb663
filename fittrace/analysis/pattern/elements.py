"""What a hook pattern is made of, and the error of one that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

from ...schema.errors import FittraceError


class PatternError(FittraceError, SyntaxError):
    """A hook pattern with a mistake in it; like Python's own syntax errors it shows the place.

    >>> error = PatternError("'on_epok_end' is no hook; did you mean on_epoch_end?", "on_epok_end", 1, 1)
    >>> error.lineno, error.offset, error.text
    (1, 1, 'on_epok_end')
    """

    def __init__(self, message: str, line: str, line_number: int, column: int) -> None:
        super().__init__(message, ("<hook pattern>", line_number, column, line))


@dataclass(frozen=True)
class Hook:
    """One pass of a hook; with a `callback` one call of it, of any callback where that is `any`."""

    name: str
    callback: str | None = None

    def takes(self, hook: str, callback: str) -> bool:
        """Whether it means this hook of this callback.

        >>> Hook("on_epoch_end", "any").takes("on_epoch_end", "History")
        True
        """
        return hook == self.name and self.callback in (None, "any", callback)

    def __str__(self) -> str:
        return self.name if self.callback is None else f"{self.callback}.{self.name}"


@dataclass(frozen=True)
class Anything:
    """One pass of whatever hook; `...` is any number of these."""

    def __str__(self) -> str:
        return "..."


@dataclass(frozen=True)
class Sequence:
    """All `items`, one after the other."""

    items: tuple[Pattern, ...]


@dataclass(frozen=True)
class Choice:
    """One of the `options`."""

    options: tuple[Pattern, ...]


@dataclass(frozen=True)
class Repeat:
    """The `body`, `least` to `most` times; `most` None: without end."""

    body: Pattern
    least: int
    most: int | None


@dataclass(frozen=True)
class Each:
    """The `body`, once for each `what`, an epoch or a batch, `least` to `most` of them."""

    what: str
    body: Pattern
    least: int = 1
    most: int | None = None


Pattern = Hook | Anything | Sequence | Choice | Repeat | Each
