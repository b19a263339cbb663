"""A worker whose commands do everything that none may do: what the sandbox must notice."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from .poison import RAISED
from .worker import Command, start


def commands(run: Path, out: Path) -> dict[str, Command]:
    """Each misdeed by name, and `nothing wrong`."""
    area = run.parents[2]
    outside = area / "outside"
    return {
        "nothing wrong": lambda: (run / "run.json").read_text() and (out / "made").write_text("") and None,
        "write": lambda: (outside / "written").write_text("x") and None,
        "write into the run": lambda: (run / "written").write_text("x") and None,
        "make a folder": (outside / "folder").mkdir,
        "rename": lambda: os.replace(outside / "old", outside / "new"),
        "link": lambda: os.symlink("/", outside / "link"),
        "remove": (outside / "removed").unlink,
        "follow a link": lambda: (run / "link").read_text() and None,
        "read a neighbour": lambda: (outside / "secret.txt").read_text() and None,
        "start a program": lambda: subprocess.run(["true"], check=True) and None,
        "fork": _fork,
        "connect": lambda: socket.socket().connect_ex(("127.0.0.1", 9)) and None,
        "raise": lambda: 1 // 0,
        "end oddly": lambda: 7,
        "escape": lambda: print("\x1b[31m"),
        "turn the text around": lambda: print("\u202e"),
        "print bytes": lambda: os.write(1, b"\xff") and None,
        "run the trace's code": lambda: eval(f"{RAISED}()"),
        "write the trace's code": lambda: (out / "test.py").write_text(f"{RAISED}()") and None,
        "show a traceback": lambda: print("Traceback (most recent call last):", file=sys.stderr),
        "die": lambda: os._exit(3),
    }


def _fork() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    start(commands)
