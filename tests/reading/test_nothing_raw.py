"""A stranger's run, whose texts have all that a surface could obey, on every surface: nothing of it comes raw."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fittrace
from fittrace.cli import COMMANDS, main
from fittrace.cli.export import FORMATS
from fittrace.cli.progress import progress
from fittrace.prompt.replay_session import ReplaySession
from fittrace.prompt.shell import Shell
from fittrace.schema.errors import FittraceError
from fittrace.schema.safe_text import printable
from fittrace.tables import TraceTables
from reading import hostile

ROOT = Path(__file__).parent.parent.parent
OURS = re.compile(r"\x1b\[[0-9;]*[mK]|\r")
"""What rich and the line of progress send to a terminal: colours, and the clearing of a line."""

LINES = [
    *("w", "l", "ll", "p", "hooks", "logs", "time", "why", "h", "b hook on_epoch_end", "b", "cl", "u", "d", "s", "n"),
    *("r", "c", "rn", "rs", "rr", "rc", "goto 0 1", "hooks", "logs", "time", "why", "goto 9 9", "p taken", "l 1, 9"),
    *(f"{word} {hostile.POISON}" for word in ("b", "b hook", "b callback", "b function", "p", "h", "goto", "cl", "l")),
    hostile.POISON,
    f"b {hostile.POISON}:3",
    "q",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run, with all texts as they should be where there is a closed set of them."""
    return hostile.make(tmp_path_factory.mktemp("traces"))


def sent(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints on both streams; whatever it is, it is no traceback."""
    code = main(words)
    captured = capsys.readouterr()
    assert code in (0, 1, 2) and "Traceback" not in captured.err
    if code == 2:
        assert captured.err.startswith("fittrace: ") and captured.err.count("\n") == 1
    return captured.out + captured.err


def commands(run: Path) -> dict[str, list[list[str]]]:
    """Every command that reads, in each of its forms."""
    one, both, reference = str(run), str(run.parent), str(hostile.REFERENCE)
    queries = ("SELECT * FROM hooks LIMIT 9", "SELECT * FROM batches LIMIT 3", "SELECT * FROM notes",
               "SELECT error(message) FROM notes", "SELECT message::INT FROM notes", "DESCRIBE batches",
               f'SELECT 1 AS "{hostile.POISON.replace(chr(34), "")}"'.replace("\0", ""))  # fmt: skip
    moment = ["--epoch", "0", "--batch", "1"]
    return {
        "ls": [["ls", both]],
        "show": [["show", "--brief", both], ["show", one], ["show", both]],
        "sql": [["sql", one, query, "--format", form] for query in queries for form in ("table", "json")],
        "replay": [["replay", one, "--plain", *moment], ["replay", one, "--json", *moment], ["replay", one]],
        "lines": [["lines", one], ["lines", both], ["lines", one, "--fit", "7"]],
        "check": [
            ["check", one],
            ["check", both],
            *(["check", both, "--format", form] for form in ("json", "github", "sarif")),
        ],
        "diff": [["diff", one, reference], ["diff", reference, one, "--format", "json"]],
        "testgen": [["testgen", one]],
        # What is in the page itself is tested in tests/report.
        "report": [["report", path, "-o", f"{both}/page.html", "--force"] for path in (one, both)],
        "watch": [["watch", one]],
        "where": [["where", one]],
    }


@pytest.mark.slow
@pytest.mark.parametrize("everything", [False, True], ids=["closed sets kept", "everything"])
def test_no_command_prints_anything_raw(
    everything: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = hostile.make(tmp_path, everything)
    lines = io.StringIO("\n".join(line.replace("\n", " ") for line in LINES))
    monkeypatch.setattr("sys.stdin", lines)
    tried = commands(run)
    # `run` records; whatever else is new has to be tried here too.
    assert {*tried, "run", "export"} == COMMANDS.keys() - {"convert"}
    for words in (words for each in tried.values() for words in each):
        assert not hostile.harmful(sent(words, capsys)), words


def test_what_can_be_read_stays_readable(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = sent(["show", str(run)], capsys)
    assert hostile.READABLE in shown and "[red]red[/red]" in shown and r"\x1b[31m" in shown


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_no_export_prints_or_names_anything_raw(
    run: Path, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / f"out {hostile.HARMFUL['OSC 8'].replace('/', '')}"
    assert not hostile.harmful(sent(["export", str(run), "--format", form, "-o", str(output)], capsys))
    names = [str(path.relative_to(output)) for path in output.rglob("*")]
    # A run has no folder of its own there; only names that fittrace gives are.
    assert not any(hostile.harmful(name) or hostile.MARKUP in name for name in names)
    if form == "chrome":
        events = json.loads(output.read_text())
        texts = [text for event in events["traceEvents"] for text in _texts(event)] + events["otherData"]["runs"]
        assert not any(hostile.harmful(text) for text in texts)
    if form == "perfetto":
        # In a protobuf texts are bytes as they are.
        assert b"\x1b]8;;" not in output.read_bytes() and "\u202e".encode() not in output.read_bytes()


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in [*value, *value.values()] for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def test_a_notebook_shows_no_markup(run: Path) -> None:
    for trace in (TraceTables.open(run), TraceTables.open(run.parent), fittrace.open(run)):
        for text in (repr(trace), trace._repr_html_()):
            assert not hostile.harmful(text)
        assert not re.search(r"<(script|img)|javascript:|&amp;amp;amp;", trace._repr_html_())


def test_errors_say_nothing_raw_to_python_either(run: Path) -> None:
    trace = fittrace.open(run.parent)
    for ask in (
        lambda: fittrace.open(run / hostile.HARMFUL["CSI"]),
        lambda: trace.sql("SELECT error(message) FROM notes"),
        lambda: trace.replay(7),
        lambda: trace.batch_samples(0, 0, 0, run=hostile.POISON),
        lambda: trace.run_metadata(0, 0, 77, run=hostile.POISON),
    ):
        with pytest.raises(FittraceError) as raised:
            ask()
        assert not hostile.harmful(str(raised.value))


def test_the_prompt_completes_nothing_raw(run: Path) -> None:
    trace = fittrace.open(run)
    shell = Shell(ReplaySession(trace.replay(0), trace, "process = 0 AND fit = 0", io.StringIO()))
    for name in (name for command in shell.commands for name in command.names):
        for line in (f"{name} ", f"{name} hook ", f"{name} callback ", f"{name} function ", f"{name} x "):
            assert not hostile.harmful("".join(shell.completions(line)))


def test_a_terminal_gets_our_own_escapes_alone(run: Path) -> None:
    for words in (["show", str(run)], ["sql", str(run), "SELECT * FROM notes", "--format", "csv"]):
        text = OURS.sub("", on_terminal(*words))
        assert not hostile.harmful(text) and hostile.READABLE in text


def test_progress_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    shown.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setattr("fittrace.cli.progress.DELAY", 0)
    with progress(f"reading {hostile.POISON}", at_once=True):
        while "reading" not in shown.getvalue():
            pass
    assert not hostile.harmful(OURS.sub("", shown.getvalue()))


def test_letters_that_cannot_be_seen_are_spelled_out() -> None:
    assert printable("lo\u115fss\u3164") == r"lo\u115fss\u3164"
    assert printable("❤️ 日本 größe") == "❤️ 日本 größe"


def on_terminal(*words: str) -> str:
    """What a terminal of 80 columns is sent."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "TERM": "xterm"}
    command = [sys.executable, "-m", "fittrace", *words]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    text = b""
    while True:
        try:
            text += os.read(controller, 65536) or exit()
        except OSError:
            break
    os.close(controller)
    process.wait(60)
    return text.decode()
