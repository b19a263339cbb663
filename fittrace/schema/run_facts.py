"""The facts of a run in its file `run.json`.

The launcher or the context manager writes it when the run starts and again when it ends.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from typing import Any

from .capture_settings import DEFAULT, Settings
from .errors import NotATrace
from .limits import LATEST_NS, RUN_JSON
from .regular_files import open_regular
from .safe_text import printable
from .schema_version import VERSION, check_version

FILE = "run.json"

_NUMBERS = {
    "start_ns": (0, LATEST_NS - 1),
    "end_ns": (0, LATEST_NS - 1),
    "exit_code": (-(2**31), 2**32 - 1),
    "signal": (0, 2**16),
}
"""The facts that are numbers, with their bounds. Only `start_ns` must be there; the others may be null or missing."""


def new(
    directory: str,
    name: str,
    argv: list[str],
    python: str,
    fittrace_version: str,
    settings: Settings = DEFAULT,
    start_ns: int | None = None,
) -> dict[str, Any]:
    """Write the facts of a run that starts now, and return them.

    - `directory`: the folder of the run.
    - `name`: the name of the run.
    - `argv`: the command line of the program.
    - `python`: the Python interpreter that runs it.
    - `fittrace_version`: the version of fittrace.
    - `settings`: what is recorded.
    - `start_ns`: the time now in Unix nanoseconds; that of `time` if None. A program may have replaced `time`, as tests
      with a frozen clock do.
    """
    facts = {
        "schema": VERSION,
        "fittrace": fittrace_version,
        "run": name,
        "argv": argv,
        "python": python,
        "cwd": os.getcwd(),
        "host": socket.gethostname(),
        "platform": sys.platform,
        "start_ns": time.time_ns() if start_ns is None else start_ns,
        "end_ns": None,
        "exit_code": None,
        "signal": None,
        "settings": settings.facts(),
    }  # type: dict[str, Any]
    write(directory, facts)
    return facts


def write(directory: str, facts: dict[str, Any]) -> None:
    """Write `facts` at once: a reader sees the old file or the new one, never a part."""
    path = os.path.join(directory, FILE)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)


def end(
    directory: str, facts: dict[str, Any], exit_code: int | None, signal: int | None, end_ns: int | None = None
) -> None:
    """Write how the run ended.

    - `directory`: the folder of the run.
    - `facts`: its facts; they are updated.
    - `exit_code`: the program's exit code, if it exited.
    - `signal`: the number of the signal that ended it, if one did.
    - `end_ns`: the time now, as `start_ns` of `new`.
    """
    facts.update(end_ns=time.time_ns() if end_ns is None else end_ns, exit_code=exit_code, signal=signal)
    write(directory, facts)


def read(directory: str) -> dict[str, Any]:
    """The facts of the run in `directory`.

    Raises `NotATrace` if there are none, if they are damaged, or if this version cannot read their schema.
    """
    path = os.path.join(directory, FILE)
    try:
        facts = _load(path)
    except FileNotFoundError:
        raise NotATrace("%s: not a fittrace run (no %s in it); `fittrace ls` lists runs" % (directory, FILE)) from None
    except NotADirectoryError:
        raise NotATrace("%s: not a fittrace run, which is a folder; `fittrace ls` lists runs" % directory) from None
    except OSError as error:
        raise NotATrace("%s: cannot be read (%s); make it readable and try again" % (path, error.strerror)) from None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotATrace("%s: damaged (%s); record the run again" % (path, error)) from None
    check_version(directory, facts["schema"])
    _check_numbers(path, facts)
    return facts


def _load(path: str) -> dict[str, Any]:
    """The facts in a file, with a schema and a name of the right types."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > RUN_JSON:
            raise ValueError("%d bytes; at most %d are read" % (size, RUN_JSON))
        facts = json.loads(file.read(RUN_JSON).decode("utf-8"))
    if not isinstance(facts["schema"], int) or not isinstance(facts["run"], str):
        raise TypeError("schema must be a number and run a text")
    facts["run"].encode("utf-8")  # JSON may have half of a surrogate pair, which is an error here
    return facts  # type: ignore[no-any-return]


def _check_numbers(path: str, facts: dict[str, Any]) -> None:
    for name, (least, most) in _NUMBERS.items():
        number = facts.get(name)
        if number is None and name != "start_ns":
            continue
        # JSON's `true` is a bool, which is an int to `isinstance`.
        if type(number) is not int or not least <= number <= most:
            shown = printable(repr(number)[:50])
            raise NotATrace("%s: damaged (%s is %s, no such number); record the run again" % (path, name, shown))


def settings(directory: str) -> Settings:
    """The settings of the run in `directory`; the defaults if its facts lack them or cannot be read."""
    try:
        facts = read(directory).get("settings")
    except NotATrace:
        return DEFAULT
    return Settings.of(facts if isinstance(facts, dict) else {})
