"""The loop of the prompt: reads lines and runs the commands on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from .command import Command, find_command
from .command_table import COMMANDS
from .completion import completions
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
        """What the last word of `line` may become, in order. `line` ends at the cursor."""
        return completions(line, self.commands, self.session)

    def _command(self, name: str) -> Command:
        command = find_command(name, self.commands)
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
