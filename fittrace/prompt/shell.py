"""The loop of the prompt: reads lines and runs the commands on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from .command import Command
from .command_table import COMMANDS
from .input_lines import LineReader
from .move_commands import Quit
from .replay_session import ReplaySession

PROMPT = "(fittrace) "


class Shell:
    """Runs commands on a session."""

    def __init__(self, session: ReplaySession) -> None:
        self.session = session
        help_command = Command(("h", "help", "?"), "[COMMAND]", "all commands, or one", self._help, self._help_topics)
        self.commands = (*COMMANDS, help_command)

    def run(self, reader: LineReader) -> None:
        """Read lines and run them, until the user quits or there are no more. As in pdb, an empty line repeats."""
        self.session.show_step()
        last = ""
        while True:
            try:
                line = reader.read(PROMPT).strip() or last
                last = line
                self.run_line(line)
            except KeyboardInterrupt:
                if not reader.is_terminal:
                    raise
                self.session.say("interrupted; q quits")
            except (EOFError, Quit):
                return

    def run_line(self, line: str) -> None:
        """Run one line, or say what is wrong with it."""
        if not line:
            return
        name, _, argument = line.partition(" ")
        try:
            self._command(name).run(self.session, argument.strip())
        except FittraceError as error:
            self.session.say(f"*** {error}")

    def completions(self, line: str) -> Iterable[str]:
        """What the last word of `line` may become, in order. `line` ends at the cursor.

        Names with characters that a terminal would obey are left out.
        """
        *before, last = line.split(" ")
        words = [word for word in before if word]
        return [word for word in self._candidates(words) if word.startswith(last) and word.isprintable()]

    def _candidates(self, words: Sequence[str]) -> Iterable[str]:
        """What may follow the words typed so far."""
        if not words:
            return sorted(name for command in self.commands for name in command.names if name != "?")
        command = self._find(words[0])
        return () if command is None else command.complete(self.session, words)

    def _find(self, name: str) -> Command | None:
        return next((command for command in self.commands if name in command.names), None)

    def _command(self, name: str) -> Command:
        command = self._find(name)
        if command is None:
            raise FittraceError(f"no command {printable(name)}; help lists them")
        return command

    def _help(self, session: ReplaySession, argument: str) -> None:
        if argument:
            command = self._command(argument)
            session.say(f"{command}: {command.help}")
            return
        width = max(len(" ".join(command.names[:2])) for command in self.commands)
        for command in self.commands:
            session.say(f"{' '.join(command.names[:2]):<{width}}  {command.help}")
        session.say("help COMMAND shows its arguments; an empty line repeats the last command")

    def _help_topics(self, session: ReplaySession, words: Sequence[str]) -> Iterable[str]:
        return sorted(name for command in self.commands for name in command.names)
