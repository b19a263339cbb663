"""The command line: one module per command, and here what they share, the errors above all.

Each command's module has `add_parser`, which describes it, and `run`, which carries it out and gives the exit code.
What a command needs it imports when it runs, so that `--help` and bad arguments are answered at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from ..schema.errors import FittraceError
from ..schema.printable import printable
from . import check, convert, diff, export, lines, ls, replay, run, show, sql, testgen

COMMANDS = {
    "run": run,
    "ls": ls,
    "convert": convert,
    "show": show,
    "sql": sql,
    "replay": replay,
    "lines": lines,
    "check": check,
    "diff": diff,
    "testgen": testgen,
    "export": export,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0, or 2 for bad input, which one line on standard error explains.

    >>> main(["show", "/nowhere"])
    2
    """
    arguments = _parser().parse_args(run.with_endpoint(sys.argv[1:] if argv is None else argv))
    for stream in (sys.stdout, sys.stderr):
        # A stream that cannot encode µ shows an escape instead of failing.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code: int = COMMANDS[arguments.command].run(arguments)
        sys.stdout.flush()
        return code
    except FittraceError as error:
        return _fail(error)
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _fail(error: object) -> int:
    print(f"fittrace: {printable(error)}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fittrace",
        description="Shows what Keras' model.fit really does: every phase, batch and hook, with nothing changed.",
        epilog="example:\n  fittrace run train.py     then     fittrace show",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        command.add_parser(subparsers)
    return parser
