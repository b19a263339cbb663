"""Reads the lines of the prompt from a terminal, through prompt_toolkit, or from a pipe.

prompt_toolkit keeps the history, and asks `completion` what Tab may make of a line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ..schema.safe_text import printable

if TYPE_CHECKING:
    from prompt_toolkit.history import History

Complete = Callable[[str], Iterable[str]]
"""Gives what the last word of a line may become. The line ends at the cursor."""


class LineReader(Protocol):
    """Reads lines."""

    is_terminal: bool
    "Whether Ctrl-C drops the line. If not, it ends the program."

    def read(self, prompt: str) -> str:
        """The next line. Raises `EOFError` if there is none, and `KeyboardInterrupt` at Ctrl-C."""
        ...


def reader(source: TextIO, out: TextIO, complete: Complete) -> LineReader:
    """A reader of `source`, with completion and history if both it and `out` are terminals."""
    return TerminalInput(complete) if source.isatty() and out.isatty() else PipeInput(source, out)


class PipeInput:
    """Reads the lines of a file or a pipe, and prints each after the prompt, as a terminal shows it."""

    is_terminal = False

    def __init__(self, source: TextIO, out: TextIO) -> None:
        self._source = source
        self._out = out

    def read(self, prompt: str) -> str:
        """The next line."""
        line = self._source.readline()
        if not line:
            raise EOFError
        line = line.rstrip("\r\n")
        self._out.write(f"{prompt}{printable(line)}\n")
        return line


class TerminalInput:
    """Reads lines that a user types. Tab completes, and the arrow keys recall earlier lines, also of past sessions."""

    is_terminal = True

    def __init__(self, complete: Complete) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion

        class WordCompleter(Completer):
            def get_completions(self, document: Any, complete_event: Any) -> Iterable[Completion]:
                line = document.text_before_cursor
                typed = line.split(" ")[-1]
                return (Completion(word, -len(typed)) for word in complete(line))

        self._session: Any = PromptSession(history=_history(), completer=WordCompleter(), complete_while_typing=False)

    def read(self, prompt: str) -> str:
        """The next line."""
        return str(self._session.prompt(prompt))


def _history() -> History:
    """The lines of past sessions; only those of this one if no file can be written."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    file = Path(state) / "fittrace" / "replay_history"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a"):
            return FileHistory(str(file))
    except OSError:
        return InMemoryHistory()
