"""The command line. Each command has a module with its `COMMAND`. What all commands share, such as errors, is here.

A command imports what it needs when it runs, so that `--help` and bad arguments are answered at once.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from . import check, convert, diff, export, lines, ls, replay, report, run, show, sql, testgen, watch, where
from .subcommand import Subcommand

DEBUG = "FITTRACE_DEBUG"
"""The environment variable that makes a fault of fittrace show its traceback."""

_LONGEST = 300
"""How many characters of the message of such a fault are shown."""

_MODULES = (run, ls, watch, where, convert, show, report, sql, replay, lines, check, diff, testgen, export)

COMMANDS: dict[str, Subcommand] = {module.COMMAND.name: module.COMMAND for module in _MODULES}
"""All commands by name, in the order in which `--help` lists them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code.

    0 means success, 2 bad input; one line on standard error explains it. Some commands use 1 (see their `--help`).

    >>> main(["show", "/nowhere"])
    2
    """
    _replace_closed_streams()
    arguments = _parser().parse_args(run.with_endpoint(sys.argv[1:] if argv is None else argv))
    for stream in (sys.stdout, sys.stderr):
        # A stream that cannot encode a character such as µ shows an escape sequence instead of failing.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = COMMANDS[arguments.command].run(arguments)
        sys.stdout.flush()
        return code
    except FittraceError as error:
        return _fail(error)
    except BrokenPipeError:
        return 128 + signal.SIGPIPE  # the reader of the output has closed it
    except io.UnsupportedOperation:
        return _fail("standard output: closed; leave it open, or redirect it to a file or a pipe")
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        fault = f"{type(error).__name__}: {str(error)[:_LONGEST]}"
        return _fail(f"{arguments.command}: a fault of fittrace ({fault}); please report it, with what {DEBUG}=1 shows")
    finally:
        _drop_unwritten_output()


def _fail(error: object) -> int:
    print(f"fittrace: {printable(error)}", file=sys.stderr)
    return 2


def _replace_closed_streams() -> None:
    """Open a stand-in for each standard stream that is closed.

    Python sets a closed stream to None, and writing a message to None would raise another error. The stand-in for
    standard output is open for reading alone, so that writing to it fails. A child process does not inherit them.
    """
    for name, mode in (("stdin", "r"), ("stdout", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - open as long as this process lasts


def _drop_unwritten_output() -> None:
    """Drop what standard output does not accept. Otherwise Python would report it once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fittrace",
        description="Shows what Keras' model.fit really does: every phase, batch and hook, with nothing changed.",
        epilog="example:\n  fittrace run train.py    record a run\n  fittrace show            show its summary\n"
        "\n`fittrace COMMAND --help` explains a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        command.add_to(subparsers)
    return parser
