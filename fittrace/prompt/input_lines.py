"""Where a prompt's lines come from: a terminal, with completion and history, or a pipe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ..schema.safe_text import printable

if TYPE_CHECKING:
    from prompt_toolkit.history import History

Complete = Callable[[str], Iterable[str]]
"""What a line that ends here, at the cursor, may go on with: the whole of its last word."""


class LineReader(Protocol):
    """Reads lines. Raises `EOFError` at the end, and `KeyboardInterrupt` when the user takes the line back.

    `is_terminal`: that is what Ctrl-C means there, not the end of the program.
    """

    is_terminal: bool

    def read(self, prompt: str) -> str:
        """The next line."""
        ...


def reader(source: TextIO, out: TextIO, complete: Complete) -> LineReader:
    """What reads from `source`: with all comforts where it and `out` are a terminal."""
    return TerminalInput(complete) if source.isatty() and out.isatty() else PipeInput(source, out)


class PipeInput:
    """Reads the lines of a file or a pipe, and shows each as if it had been typed."""

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
    """Reads what a user types; the Tab key completes, the arrow keys bring back what was typed, also days ago."""

    is_terminal = True

    def __init__(self, complete: Complete) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion

        class Words(Completer):
            def get_completions(self, document: Any, complete_event: Any) -> Iterable[Completion]:
                before = document.text_before_cursor
                word = before.split(" ")[-1]
                return (Completion(whole, -len(word)) for whole in complete(before))

        self._session: Any = PromptSession(history=_history(), completer=Words(), complete_while_typing=False)

    def read(self, prompt: str) -> str:
        """The next line."""
        return str(self._session.prompt(prompt))


def _history() -> History:
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    file = Path(state) / "fittrace" / "replay_history"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a"):
            return FileHistory(str(file))
    except OSError:
        return InMemoryHistory()
