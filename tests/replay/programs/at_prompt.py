"""Opens the prompt on the invented engine: `at_prompt.py [STOP_EPOCH STOP_BATCH]`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from replay.invented import names, replay_of, steps_of

import fittrace
from fittrace.prompt.input_lines import reader
from fittrace.prompt.replay_session import ReplaySession
from fittrace.prompt.shell import Shell

stop_at = tuple(int(number) for number in sys.argv[1:3]) or None
trace = fittrace.open(Path(__file__).parents[3] / "traces" / "reference-keras-3")
session = ReplaySession(replay_of(steps_of(epochs=2, batches=3, stop_at=stop_at)), trace, "fit = 0", sys.stdout)
session.names = names()
shell = Shell(session)
shell.run(reader(sys.stdin, sys.stdout, shell.completions))
