"""The folder of a new run: its name, and making it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from .. import __version__
from ..capture.isolation.clock import Clock
from ..schema import run_facts as schema_run
from ..schema.capture_settings import Settings
from ..schema.errors import FittraceError
from ..schema.plain_names import is_plain

_TRIES = 1000


def make(
    out: Path, name: str | None, title: str, argv: list[str], python: str, settings: Settings
) -> tuple[Path, dict[str, Any]]:
    """Make the folder of a run that starts now, under `out`, and its `run.json`.

    It is called `name`, or else after the time and `title`, so that the names of runs sort by time. Raises
    `FittraceError` where it cannot be made or `name` is taken.
    """
    if name is not None and not is_plain(name):
        raise FittraceError(f"--name {name!r}: not the name of a folder; use letters, digits, - and _")
    try:
        directory = _new_folder(out, name, title)
        return directory, schema_run.new(
            str(directory), directory.name, argv, python, __version__, settings, Clock.wall_ns()
        )
    except FileExistsError:
        if name is None or not out.is_dir():
            raise FittraceError(f"{out}: not a folder; choose another with --out") from None
        raise FittraceError(f"{out / name}: already there; choose another --name, or remove it") from None
    except OSError as error:
        raise FittraceError(f"{out}: cannot be written ({error.strerror}); choose another folder with --out") from None


def _new_folder(out: Path, name: str | None, title: str) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    if name is not None:
        (out / name).mkdir()
        return (out / name).absolute()
    for _ in range(_TRIES):
        directory = out / stamped(title)
        try:
            directory.mkdir()
        except FileExistsError:
            time.sleep(0.001)
            continue
        return directory.absolute()
    raise FileExistsError(out)


def stamped(title: str) -> str:
    """The time and `title`, as a name of a folder."""
    seconds, rest = divmod(Clock.wall_ns(), 1_000_000_000)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(seconds))
    return f"{stamp}-{rest // 1_000_000:03d}-{_plain(title)}"


def _plain(title: str) -> str:
    """`title` with nothing in it that a shell would ask about.

    >>> _plain("my script.py")
    'my-script'
    """
    stem = Path(title).stem or "run"
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem)[:40].strip("-.") or "run"
