"""Names and makes the folder of a new run."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from ..capture.isolation.clock import Clock
from ..schema import run_facts
from ..schema.capture_settings import Settings
from ..schema.errors import FittraceError
from ..schema.plain_names import is_plain
from ..version import __version__

_TRIES = 1000
"""How often to take a new name, which has the time in it, if another run already has the name."""


def make_run_folder(
    out: Path, name: str | None, title: str, argv: list[str], python: str, settings: Settings
) -> tuple[Path, dict[str, Any]]:
    """Make the folder of a run that starts now, with its `run.json`. Returns the folder and the facts in that file.

    - `out`: the folder in which to make it.
    - `name`: its name. None takes the time and `title`, so that the names of runs sort by time.
    - `title`: what the run is called in such a name.
    - `argv`, `python`, `settings`: facts of the run for `run.json`.

    Raises `FittraceError` if the folder cannot be made, or if `name` is taken.
    """
    if name is not None and not is_plain(name):
        raise FittraceError(f"--name {name!r}: not the name of a folder; use letters, digits, - and _")
    try:
        directory = _new_folder(out, name, title)
        now = Clock.wall_ns()
        return directory, run_facts.new(str(directory), directory.name, argv, python, __version__, settings, now)
    except FileExistsError:
        if name is None or not out.is_dir():
            raise FittraceError(f"{out}: not a folder; choose another with --out") from None
        raise FittraceError(f"{out / name}: already exists; choose another --name, or remove it") from None
    except OSError as error:
        raise FittraceError(f"{out}: cannot be written ({error.strerror}); choose another folder with --out") from None


def _new_folder(out: Path, name: str | None, title: str) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    if name is not None:
        (out / name).mkdir()
        return (out / name).absolute()
    for _ in range(_TRIES):
        directory = out / timestamped_name(title)
        try:
            directory.mkdir()
        except FileExistsError:
            time.sleep(0.001)
            continue
        return directory.absolute()
    raise FileExistsError(out)


def timestamped_name(title: str) -> str:
    """A name for a folder: the local time to the millisecond, and `title`."""
    seconds, rest = divmod(Clock.wall_ns(), 1_000_000_000)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(seconds))
    return f"{stamp}-{rest // 1_000_000:03d}-{_plain(title)}"


def _plain(title: str) -> str:
    """`title` with only characters that need no quotes in a shell.

    >>> _plain("my script.py")
    'my-script'
    """
    stem = Path(title).stem or "run"
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem)[:40].strip("-.") or "run"
