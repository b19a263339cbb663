"""`run.json`: the facts of one run, beside its tables.

Written by whoever starts the run (the launcher or the context manager) and again when it ends. It is plain JSON.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from typing import Any

from . import OLDEST, VERSION
from .capture_settings import DEFAULT, Settings
from .errors import FittraceError
from .limits import LATEST_NS, RUN_JSON
from .regular_files import open_regular
from .safe_text import printable

FILE = "run.json"


_NUMBERS = {
    "start_ns": (0, LATEST_NS - 1),
    "end_ns": (0, LATEST_NS - 1),
    "exit_code": (-(2**31), 2**32 - 1),
    "signal": (0, 2**16),
}
"""The numbers among the facts, and their bounds. `start_ns` is always there; the others may be null or missing."""


class NotATrace(FittraceError):
    """A folder or file that is no fittrace run, or one that this version cannot read."""


def new(
    directory: str,
    name: str,
    argv: list[str],
    python: str,
    fittrace_version: str,
    settings: Settings = DEFAULT,
    start_ns: int | None = None,
) -> dict[str, Any]:
    """Make the facts of a run that starts now and write them into its new folder `directory`.

    `start_ns` is the time now, from who knows it better than `time`, which a program may have frozen.
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
    """Write `facts` so that a reader sees the old file or the new one, never half of one."""
    path = os.path.join(directory, FILE)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)


def end(
    directory: str, facts: dict[str, Any], exit_code: int | None, signal: int | None, end_ns: int | None = None
) -> None:
    """Write how the run ended: with an exit code, or by a signal; `end_ns` is as `start_ns` of `new`."""
    facts.update(end_ns=time.time_ns() if end_ns is None else end_ns, exit_code=exit_code, signal=signal)
    write(directory, facts)


def read(directory: str) -> dict[str, Any]:
    """The facts of the run in `directory`.

    Raises `NotATrace` where there are none, they are damaged, or their schema is not one of ours.
    """
    path = os.path.join(directory, FILE)
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > RUN_JSON:
                raise ValueError("%d bytes; at most %d are read" % (size, RUN_JSON))
            facts = json.loads(file.read(RUN_JSON).decode("utf-8"))
        schema = facts["schema"]
        if not isinstance(schema, int) or not isinstance(facts["run"], str):
            raise TypeError("schema must be a number and run a text")
        facts["run"].encode("utf-8")
    except FileNotFoundError:
        raise NotATrace("%s: not a fittrace run (no %s in it); `fittrace ls` lists runs" % (directory, FILE)) from None
    except NotADirectoryError:
        raise NotATrace("%s: not a fittrace run, which is a folder; `fittrace ls` lists runs" % directory) from None
    except OSError as error:
        raise NotATrace("%s: cannot be read (%s); mend that and open it again" % (path, error.strerror)) from None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotATrace("%s: damaged (%s); record the run again" % (path, error)) from None
    if schema > VERSION:
        raise NotATrace(
            "%s: schema %d, this fittrace reads %d-%d; upgrade fittrace" % (directory, schema, OLDEST, VERSION)
        )
    if schema < OLDEST:
        raise NotATrace(
            "%s: schema %d, this fittrace reads %d-%d; read it with an older fittrace"
            % (directory, schema, OLDEST, VERSION)
        )
    for name, (least, most) in _NUMBERS.items():
        number = facts.get(name)
        if number is None and name != "start_ns":
            continue
        if type(number) is not int or not least <= number <= most:
            told = printable(repr(number)[:50])
            raise NotATrace("%s: damaged (%s is %s, no such number); record the run again" % (path, name, told))
    return facts  # type: ignore[no-any-return]


def settings(directory: str) -> Settings:
    """How much of the run in `directory` is recorded; the default where its facts do not say, or cannot be read."""
    try:
        told = read(directory).get("settings")
    except NotATrace:
        return DEFAULT
    return Settings.of(told if isinstance(told, dict) else {})
