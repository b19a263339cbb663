"""What a half-typed line may go on with."""

from __future__ import annotations

from collections.abc import Iterable

from ..replay.breakpoints import values_of
from ..schema.tables import PHASES
from .commands import WORDS
from .shell import Shell


def completions(session: Shell, line: str) -> Iterable[str]:
    """The words that the last word of `line`, which ends at the cursor, may become, in order.

    Names from a trace that the terminal would obey are left out.
    """
    *before, last = line.split(" ")
    before = [word for word in before if word]
    return [word for word in _candidates(session, before) if word.startswith(last) and word.isprintable()]


def _candidates(session: Shell, before: list[str]) -> Iterable[str]:
    if not before:
        return sorted(name for word in WORDS for name in word.names if name != "?")
    word, names = before[0], session.names
    if word in ("b", "break", "tbreak"):
        kinds = {"hook": names.hooks, "callback": names.callbacks, "phase": tuple(PHASES), "function": names.functions}
        if before[-1] in kinds:
            return kinds[before[-1]]
        if len(before) > 1:
            return ("hook", "callback", "phase", *names.values)
        files = [f"{file.rsplit('/', 1)[-1]}:" for file in names.files]
        return dict.fromkeys(["hook", "callback", "phase", *names.functions, *files, *names.values])
    if word in ("p", "print"):
        return sorted(values_of(session.walk.step))
    if word in ("cl", "clear"):
        return [str(number) for number in session.walk.breakpoints]
    if word in ("h", "help"):
        return sorted(name for known in WORDS for name in known.names)
    return ()
