"""The process that reads hostile runs: it carries out commands on each, and says what it noticed.

Standard input has a line of JSON for each run: its number, its folder, a folder for output, and the names of the
commands. Before each command the worker opens a file that is not there, so that the sandbox, which sees its system
calls, knows which command they belong to. It answers on what was its standard output, in lines of JSON.
"""

from __future__ import annotations

import ast
import builtins
import html as html_text
import json
import os
import re
import sys
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

import fittrace
from fittrace.cli import COMMANDS, main
from fittrace.report import Document
from fittrace.report import page as page_of
from fittrace.report.model.document import Made
from fittrace.report.packing import unpacked
from fittrace.tables.computed_tables import VIEWS

from .poison import RAISED

MARK = "/a-run-of-the-fuzzer"
ASKED = b"step\nnext\nback\nwhere\nwhy\nlist\np logs\nb fit\ncontinue\nreverse-continue\nargs\nhelp\nquit\n"
FORMATS = ("otlp", "perfetto", "chrome", "tensorboard", "csv", "parquet", "run-metadata")
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_PAGE = re.compile(
    r"(?P<before>.*<title>)(?P<title>[^<>]*)(?P<between>(?: – fittrace)</title>.*id=\"data\">)"
    r"(?P<data>[A-Za-z0-9+/=]*)(?P<after></script>.*)",
    re.DOTALL,
)
"""The page of a report, in parts. Its title has no markup, and its data only characters of base64."""


class Bait:
    """A callback with methods that are no hooks: nothing that a trace says may call them."""

    called: ClassVar[list[str]] = []

    def set_model(self, model: object) -> None:
        """Keras' own."""

    def set_params(self, params: object) -> None:
        """Keras' own."""

    def delete(self) -> None:
        """Not Keras' own."""
        self.called.append("delete")

    def on_x(self, *_: object) -> None:
        """Not Keras' own, though called so."""
        self.called.append("on_x")


Command = Callable[[], Any]


def commands(run: Path, out: Path) -> dict[str, Command]:
    """Every command by name: those of the command line, and what a notebook does."""
    found = {name: partial(main, argv) for name, argv in _command_lines(run, out)}
    return {**found, "open": partial(opened, run)}


def _command_lines(run: Path, out: Path) -> Iterator[tuple[str, list[str]]]:
    yield "ls", ["ls", str(run.parent)]
    yield "show", ["show", str(run)]
    yield "show a folder", ["show", str(run.parent)]
    yield "where", ["where", str(run)]
    yield "sql", ["sql", str(run), "SELECT * FROM hooks"]
    yield "lines", ["lines", str(run)]
    yield "replay", ["replay", str(run)]
    yield "replay --json", ["replay", "--json", "--epoch", "0", str(run)]
    yield "check", ["check", str(run)]
    yield "check --format github", ["check", "--format", "github", str(run)]
    yield "check --format sarif", ["check", "--format", "sarif", str(run)]
    yield "diff", ["diff", str(run), str(run)]
    yield "diff --report", ["diff", "--report", "-o", str(out / "diff.html"), "--force", str(run), str(run)]
    yield "report", ["report", "-o", str(out / "report.html"), "--force", str(run)]
    yield "report --redact", ["report", "--redact", "-o", str(out / "redacted.html"), "--force", str(run.parent)]
    yield "testgen", ["testgen", str(run), "-o", str(out / "test_generated.py")]
    for form in FORMATS:
        yield f"export {form}", ["export", str(run.parent if form == "tensorboard" else run), "--format", form,
                                 "-o", str(out / form)]  # fmt: skip
    if "convert" in COMMANDS:
        yield "convert", ["convert", str(run)]


def opened(run: Path) -> None:
    """What a notebook does with a trace. An error of ours is fine, any other is not."""
    with suppress(fittrace.FittraceError):
        trace = fittrace.open(run)
        if "<script" in repr(trace) + trace._repr_html_():
            raise AssertionError("markup in what a notebook shows")
        for table in VIEWS:
            with suppress(fittrace.FittraceError):
                getattr(trace, table)()
        fittrace.drive(trace, [Bait()])


def faults_of(work: Command, output: int) -> Iterator[str]:
    """What is wrong with a command: how it ended, and what it said on a terminal."""
    os.ftruncate(output, 0)
    os.lseek(output, 0, os.SEEK_SET)
    try:
        code = work()
        if code not in (0, 1, 2, None):
            yield f"exit code {code}"
    except SystemExit as end:
        if end.code != 2:
            yield f"exit code {end.code}"
    except BaseException:
        yield traceback.format_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    said = os.pread(output, 1 << 26, 0)
    try:
        text = said.decode()
    except UnicodeDecodeError:
        yield "what it says is no UTF-8"
        return
    if obeyed := sorted({c for c in text if c not in "\n\t" and unicodedata.category(c) in _UNSAFE}):
        yield f"raw characters on the terminal: {obeyed!r}"
    if "Traceback (most recent call last)" in text or "a fault of fittrace" in text:
        yield text[-3000:]
    if Bait.called or executed:
        yield f"called: {Bait.called} {executed}"
        Bait.called.clear()
        executed.clear()


def faults_in_files(out: Path) -> Iterator[str]:
    """What is wrong with what was written."""
    for file in out.rglob("*.py"):
        names = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
        if RAISED in names:
            yield f"{file.name}: a text of the trace is code in it"
    for file in out.rglob("*.html"):
        yield from (f"{file.name}: {fault}" for fault in faults_in_page(file.read_text("utf-8")))


def faults_in_page(html: str) -> Iterator[str]:
    """What is wrong with the page of a report: all but its title and its data must be the same for every trace."""
    page = _PAGE.fullmatch(html)
    if page is None or page["before"] + page["between"] + page["after"] != _empty_page():
        yield "a text of the trace is markup in it"
        return
    shown = json.dumps(unpacked(page["data"]), ensure_ascii=False) + html_text.unescape(page["title"])
    if obeyed := sorted({c for c in shown if unicodedata.category(c) in _UNSAFE}):
        yield f"raw characters in the page: {obeyed!r}"


@cache
def _empty_page() -> str:
    """A page of nothing, without its title and its data."""
    empty = _PAGE.fullmatch(page_of(Document("", Made("", "", False), [])))
    assert empty is not None
    return empty["before"] + empty["between"] + empty["after"]


def most_memory(anew: bool) -> int:
    """The most bytes of memory that were in use since it was last asked `anew`."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


executed: list[str] = []


def mark(number: int, name: str) -> None:
    """Show the sandbox which command of which run comes next; `-` is none."""
    with suppress(FileNotFoundError):
        os.open(f"{MARK}/{number}/{name}", os.O_RDONLY)


def work(answers: int, output: int, of: Callable[[Path, Path], dict[str, Command]]) -> None:
    """Read runs until there are no more. `of` gives the commands for a run and its output."""
    setattr(builtins, RAISED, lambda: executed.append(RAISED))
    for line in iter(sys.stdin.readline, ""):
        number, folder, target, names = json.loads(line)
        known = of(Path(folder), Path(target))
        for name in names:
            mark(number, name)
            before = most_memory(anew=True)
            read, write = os.pipe()
            os.write(write, ASKED)
            os.close(write)
            asked, sys.stdin = sys.stdin, os.fdopen(read)
            faults = list(faults_of(known[name], output))
            sys.stdin.close()
            sys.stdin = asked
            grown = most_memory(anew=False) - before
            mark(number, "-")
            faults += faults_in_files(Path(target))
            answer = {"run": number, "command": name, "memory": grown, "faults": faults}
            os.write(answers, json.dumps(answer).encode() + b"\n")


def start(of: Callable[[Path, Path], dict[str, Command]]) -> None:
    """Work, with a file in place of standard output and standard error, since libraries in C++ write there too."""
    answers = os.dup(1)
    output = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    work(answers, output, of)


if __name__ == "__main__":
    start(commands)
