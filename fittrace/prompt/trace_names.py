"""The names in a trace, to complete what the user types and to reject what the trace does not have."""

from __future__ import annotations

from dataclasses import dataclass

from ..replay.breakpoints import Breakpoint
from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from ..tables import TraceTables
from ..tables.database import row_tuples


class UnknownName(FittraceError):
    """A name that the trace does not have."""


@dataclass(frozen=True)
class TraceNames:
    """The names in a trace."""

    functions: tuple[str, ...] = ()
    "Qualified names."
    files: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()
    "Names of classes."
    values: tuple[str, ...] = ("epoch", "batch", "logs", "stop_training", "taken")
    "What conditions may name: values of steps, and keys of logs."

    @classmethod
    def of(cls, trace: TraceTables, fit: str) -> TraceNames:
        """Read the names of one fit, which the condition `fit` selects, in SQL."""
        sites = trace.sites()
        of_hooks = f"FROM spans WHERE {fit} AND callback IS NOT NULL"
        callbacks = row_tuples(trace.relation(f"SELECT DISTINCT callback {of_hooks} ORDER BY 1"))
        hooks = row_tuples(trace.relation(f"SELECT DISTINCT hook {of_hooks} ORDER BY 1"))
        keys = row_tuples(trace.relation(f"SELECT DISTINCT key FROM logs WHERE {fit} ORDER BY 1"))
        return cls(
            tuple(dict.fromkeys(sites["function"].dropna())),
            tuple(dict.fromkeys(sites["file"].dropna())),
            tuple(name for (name,) in hooks),
            tuple(name for (name,) in callbacks),
            (*cls().values, *(name for (name,) in keys)),
        )

    def check(self, where: Breakpoint) -> None:
        """Raise `UnknownName` if a breakpoint names something that the trace does not have."""
        if where.function is not None and not any(where.is_in(function) for function in self.functions):
            raise _unknown("function", where.function, [name.rsplit(".", 1)[-1] for name in self.functions])
        if where.hook is not None and not where.hooks & set(self.hooks):
            raise _unknown("hook", where.hook, self.hooks)
        if where.callback is not None and where.callback not in self.callbacks:
            raise _unknown("callback", where.callback, self.callbacks)
        if where.line is not None and where.file is not None:
            line = where.line
            if not any(where.is_on(file, line, line) for file in self.files):
                raise _unknown("file", where.file, [file.replace("\\", "/").rsplit("/", 1)[-1] for file in self.files])


def _unknown(kind: str, name: str, known: tuple[str, ...] | list[str]) -> UnknownName:
    some = ", ".join(sorted(set(known))[:20]) or "none"
    return UnknownName(printable(f"no {kind} {name} in this fit; there are {some}"))
