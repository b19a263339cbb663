"""Writes the session of docs/replay.md anew: its words are typed into a replay of docs/examples/budget.py."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path("docs/replay.md")
PROGRAM = Path("docs/examples/budget.py")
PYTHON = Path(".venv-keras2/bin/python")
BEGIN, END = "<!-- session -->\n\n```text\n", "```\n\n<!-- end of the session -->\n"
PROMPT = "(fittrace) "


def main() -> None:
    PAGE.write_text(with_session(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{PAGE}: the session of a new run")


def with_session(page: str) -> str:
    """`page` with what the prompt says now to the words between its markers."""
    before, begin, rest = page.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE}: no session in it; put it between {BEGIN!r} and {END!r}")
    words = [line.removeprefix(PROMPT) for line in old.splitlines() if line.startswith(PROMPT)]
    with tempfile.TemporaryDirectory() as folder:
        return f"{before}{begin}{session(record(Path(folder)), words)}{end}{after}"


def record(folder: Path) -> Path:
    """Run the program under capture; the trace, which lies under `folder` then."""
    options = ["--quiet", "--python", str(PYTHON), "--out", str(folder), "--name", "budget"]
    command = [sys.executable, "-m", "fittrace", "run", *options, str(PROGRAM)]
    # TensorFlow 2, where it has been imported, leaves a variable that turns TensorFlow 1 into something else.
    environment = {name: value for name, value in os.environ.items() if name != "TF2_BEHAVIOR"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "budget"


def session(trace: Path, words: list[str]) -> str:
    """What the prompt says to `words`, typed one after the other."""
    command = [sys.executable, "-m", "fittrace", "replay", str(trace)]
    typed = "".join(f"{word}\n" for word in words)
    done = subprocess.run(command, input=typed, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


if __name__ == "__main__":
    main()
