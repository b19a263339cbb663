"""The prompt, driven as a user would: through a pseudo-terminal, and through a pipe."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pexpect
import pytest

import fittrace
from fittrace.prompt.input_lines import PipeInput
from fittrace.prompt.replay_session import ReplaySession
from fittrace.prompt.shell import Shell
from fittrace.replay.step import Step
from replay.invented import names, replay_of, steps_of

REFERENCE = Path(__file__).parent.parent.parent / "traces" / "reference-keras-3"
PROGRAM = Path(__file__).parent / "programs" / "at_prompt.py"
# Sent when the terminal is ready for keys: before that, Ctrl-C and the like would mean something else.
READY = r"\x1b\[\?2004h.*?\(fittrace\)"


@cache
def steps(*stop_at: int) -> list[Step]:
    return steps_of(epochs=2, batches=3, stop_at=stop_at or None)


@cache
def trace() -> fittrace.Trace:
    return fittrace.open(REFERENCE)


def run(words: str, *stop_at: int) -> str:
    """What the prompt says to these lines, which do not come from a terminal."""
    out = io.StringIO()
    session = ReplaySession(replay_of(steps(*stop_at)), trace(), "fit = 0", out)
    session.names = names()
    Shell(session).run(PipeInput(io.StringIO(words), out))
    return out.getvalue()


def answers(words: list[str], *stop_at: int) -> list[str]:
    """What the prompt says to each of these lines."""
    said = run("\n".join(words) + "\n", *stop_at).split("(fittrace) ")
    assert [answer.partition("\n")[0] for answer in said[1:]] == words
    return [answer.partition("\n")[2] for answer in said[1:]]


def at(answer: str) -> str:
    """The source of the line that an answer marks."""
    marked = [line for line in answer.splitlines() if re.match(r" *\d+ +B?->", line)]
    assert len(marked) == 1, answer
    return marked[0].split("->", 1)[1].strip()


def test_it_opens_at_the_beginning() -> None:
    said = run("q\n")
    assert said.splitlines()[:2] == [
        "outside of epochs (train), phase fit, no clock of its own, step 0 of 87",
        "> replay/programs/invented_engine.py(5)fit()",
    ]
    assert at(said) == "model.stop_training = False"


def test_every_move_has_its_reverse() -> None:
    said = answers(["s", "s", "n", "n", "n", "n", "n", "s", "r", "rs", "rn", "rs", "rr", "rs", "rs", "rs"], 1, 1)
    assert [at(answer) for answer in said] == [
        "logs = fit_loop(model, data, epochs, validate)",
        "callbacks = CallbackList(model.callbacks)",
        "for epoch in range(epochs):",
        "epoch_logs = {}",
        "for batch, rows in enumerate(data):",
        "logs = train(rows, epoch)",
        "callbacks.on_batch_end(batch, logs)",
        "for callback in self.callbacks:",
        "if model.stop_training:",
        "for callback in self.callbacks:",
        "callback.on_batch_end(batch, logs)",
        "for callback in self.callbacks:",
        "callbacks.on_batch_end(batch, logs)",
        'return {"loss": sum(rows) / (epoch + 1)}',
        "if not rows:",
        "logs = train(rows, epoch)",
    ]


def test_the_ends_hold() -> None:
    said = answers(["rs", "rn", "rr", "c", "s", "n", "r"])
    assert said[:3] == ["the beginning of the fit\n"] * 3
    assert said[3].startswith("no breakpoint after this: the end of the fit\n")
    assert at(said[3]) == "return logs"
    assert said[4:] == ["the end of the fit\n"] * 3


def test_breakpoints_by_line_function_hook_callback_phase_and_condition() -> None:
    said = answers(["b 26", "c", "cl 1", "b train", "c", "c", "cl", "b hook on_epoch_end", "rc", "c"])
    assert said[0].endswith("invented_engine.py:26\n")
    assert at(said[1]) == "callbacks.on_epoch_end(epoch, epoch_logs)"
    assert said[2].startswith("cleared 1: ")
    assert [at(said[4]), at(said[5])] == ["if not rows:"] * 2
    assert at(said[8]) == at(said[9]) == "callback.on_epoch_end(epoch, logs)"
    assert "epoch 0 (train)" in said[8]
    assert "epoch 1 (train)" in said[9]
    said = answers(["b invented_engine.py:16, batch == 2", "c", "cl", "b callback Callback, loss > 2", "c", "p loss"])
    assert "epoch 0, batch 2 (train)" in said[1]
    assert said[3] == "breakpoint 2: callback Callback, loss > 2\n"
    assert float(said[5]) > 2
    said = answers(["b phase hooks", "c", "cl", "b loss > 2 and epoch == 1", "c", "p loss, epoch, batch == 2"])
    assert at(said[1]) == "callbacks = CallbackList(model.callbacks)"
    assert said[5].splitlines() == ["2.5", "1", "True"]


def test_the_nearest_of_several_breakpoints_stops_it() -> None:
    said = answers(["goto 1 0", "b train", "b 26", "b loss > 4", "rc", "rc", "rc", "c"])
    assert [at(answer) for answer in said[4:]] == [
        "callbacks.on_epoch_end(epoch, epoch_logs)",
        "callback.on_batch_end(batch, logs)",
        "if not rows:",
        "callback.on_batch_end(batch, logs)",
    ]
    assert [answer.split("\n")[0] for answer in said[4:]] == [f"breakpoint {n}" for n in (2, 3, 1, 3)]


def test_a_temporary_breakpoint_is_met_once() -> None:
    said = answers(["tbreak train", "b", "c", "b", "c"])
    assert said[1] == "1: function train (once)\n"
    assert at(said[2]) == "if not rows:"
    assert said[3] == "no breakpoints\n"
    assert said[4].startswith("no breakpoint after this")


def test_frames_are_looked_at_without_moving() -> None:
    said = answers(["b train", "c", "w", "u", "p epoch", "u", "u", "d", "d", "d", "w"])
    assert said[2].splitlines() == [
        "  replay/programs/invented_engine.py(6)fit()",
        "    logs = fit_loop(model, data, epochs, validate)",
        "  replay/programs/invented_engine.py(16)fit_loop()",
        "    logs = train(rows, epoch)",
        "> replay/programs/invented_engine.py(33)train()",
        "    if not rows:",
    ]
    assert at(said[3]) == "logs = train(rows, epoch)"
    assert said[4] == "0\n"
    assert at(said[5]) == "logs = fit_loop(model, data, epochs, validate)"
    assert said[6] == "*** this is the outermost frame\n"
    assert at(said[8]) == "if not rows:"
    assert said[9] == "*** this is the innermost frame\n"
    assert said[10] == said[2]


def test_source_is_listed() -> None:
    said = answers(["b train", "c", "l", "l", "l .", "l 22, 24", "l 12", "ll", "l x"])
    assert [said[place].splitlines()[0].split()[0] for place in (2, 3)] == ["36", "47"]
    assert said[4].splitlines()[0].split()[0] == "28"
    assert len(said[4].splitlines()) == 11
    assert said[5].splitlines()[1] == " 23                              größe=len(data),  # 数据的大小"
    assert said[7].splitlines() == [
        " 32  B   def train(rows, epoch):".replace("B ", "  "),
        " 33  ->          if not rows:",
        ' 34                      raise ValueError("no rows")',
        ' 35              return {"loss": sum(rows) / (epoch + 1)}',
    ]
    assert said[8].startswith("*** l takes")


def test_an_empty_line_does_the_last_one_again() -> None:
    said = run("s\n\n\nq\n").split("(fittrace) ")
    assert [at(answer) for answer in said[1:4]] == [
        "logs = fit_loop(model, data, epochs, validate)",
        "callbacks = CallbackList(model.callbacks)",
        "self.callbacks = callbacks",
    ]


def test_why_tells_the_branches_that_led_there() -> None:
    """The fault of keras-team/keras#12268: the batch loop is left by the break, so validation is never asked about."""
    said = answers(["goto 1 1", "b 26", "c", "why", "rc", "why"], 1, 1)
    assert [line.split(maxsplit=1) for line in said[3].splitlines()[1:]] == [
        ["13", "for epoch in range(epochs):          taken  epoch 0 (train)"],
        ["15", "for batch, rows in enumerate(data):  taken  epoch 1 (train)"],
        ["18", "if model.stop_training:              taken  epoch 1, batch 1 (train)"],
    ]
    assert [line.split()[0] for line in said[5].splitlines()[1:]] == ["13", "15"]
    assert "not taken" in said[5].splitlines()[-1]


def test_time_by_line_adds_up_to_the_batch() -> None:
    said = answers(["time", "goto 0 1", "time", "b 35", "c", "time"])
    assert said[0] == "*** this step is not in a batch; goto EPOCH BATCH goes to one\n"
    rows = [re.split(r"  +", line.strip()) for line in said[2].splitlines()]
    assert rows[0] == ["line", "source", "visits", "own time", "share"]
    # The clock is a counter, so that each step takes 1 µs, and the batch has nine.
    assert rows[-1] == ["the batch", "9 µs", "100.0 %"]
    assert sum(int(row[3].split()[0]) for row in rows[1:-1] if "µs" in row[3]) == 9
    assert ["train:33", "if not rows:", "1", "in line 16"] in rows
    assert said[5] == said[2]  # wherever in the batch it is asked


def test_hooks_and_logs_are_those_of_the_moment() -> None:
    said = answers(["hooks", "logs", "goto 1 2", "hooks", "logs", "b 26", "c", "logs"])
    assert "on_train_begin" in said[0]
    assert "on_train_end  " in said[1]
    assert {line.split()[0] for line in said[3].splitlines()[1:]} == {"on_train_batch_begin", "on_train_batch_end"}
    assert [line.split()[:2] for line in said[4].splitlines()] == [
        ["hook", "key"],
        ["on_train_batch_end", "accuracy"],
        ["on_train_batch_end", "loss"],
    ]
    assert "val_loss" in said[7]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("jump 3", "*** no command jump; help lists them"),
        ("b nothing", "*** no function nothing in this fit; there are fit, fit_loop, on_batch_end"),
        ("b other.py:3", "*** no file other.py in this fit; there are invented_engine.py"),
        ("b hook on_lunch", "*** no hook on_lunch in this fit; there are on_batch_end"),
        ("b callback Mine", "*** no callback Mine in this fit; there are Callback"),
        ("b phase lunch", "*** no phase lunch; they are fit"),
        ("b train, loss >", "*** 'loss >' is not a condition; write one like"),
        ("b __import__('os').system('true')", "*** \"__import__('os').system('true')\" is not a breakpoint"),
        ("cl 7", "*** no breakpoint 7; b lists them"),
        ("cl x", "*** no breakpoint x; b lists them"),
        ("goto", "*** goto takes an epoch"),
        ("goto -1 2", "*** goto takes an epoch"),
        ("goto 9 9", "*** no batch 9 in epoch 9"),
        ("p loss", "*** loss is not recorded at this step; there are depth"),
        ("p loss >", "*** 'loss >' is not a condition"),
        ("help jump", "*** no command jump"),
        ("\x1b[2J", "*** no command \\x1b[2J; help lists them"),
    ],
)
def test_what_it_does_not_understand_is_told_in_one_line(line: str, answer: str) -> None:
    said = run(f"{line}\n").split("(fittrace) ")[1].split("\n")
    assert said[1].startswith(answer)
    assert said[2:] == [""]


def test_help_has_every_word() -> None:
    said = answers(["help", "help rc"])
    words = [line.split()[0] for line in said[0].splitlines()[:-1]]
    wanted = "n s r c u d w l ll p b tbreak cl q rn rs rc goto hooks logs time why h"
    assert set(wanted.split()) <= set(words)
    assert said[1].startswith("rc | reverse-continue: ")


def test_lines_may_come_through_a_pipe() -> None:
    command = [sys.executable, str(PROGRAM)]
    environ = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, input=b"l 23\ns\n", capture_output=True, env=environ, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode()
    assert "größe=len(data),  # 数据的大小" in said
    assert at(said.split("(fittrace) ")[2]) == "logs = fit_loop(model, data, epochs, validate)"
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tb", ["tbreak"]),
        (
            "r",
            [
                "r",
                "rc",
                "return",
                "reverse-continue",
                "reverse-next",
                "reverse-return",
                "reverse-step",
                "rn",
                "rr",
                "rs",
            ],
        ),
        ("b fit", ["fit", "fit_loop"]),
        ("b inv", ["invented_engine.py:"]),
        ("b  hook on_", ["on_batch_end", "on_epoch_end"]),
        ("tbreak callback ", ["Callback"]),
        ("b phase s", ["shuffle", "slice", "stop"]),
        ("b callback Callback, l", ["loss"]),
        ("p sta", ["stage"]),
        ("cl ", ["1"]),
        ("help wh", ["where", "why"]),
        ("n ", []),
        ("nonsense ", []),
    ],
)
def test_what_a_line_may_go_on_with(line: str, words: list[str]) -> None:
    session = ReplaySession(replay_of(steps()), trace(), "fit = 0", io.StringIO())
    session.names = names()
    shell = Shell(session)
    shell.run_line("b train")
    assert list(shell.completions(line)) == words


def test_the_names_are_those_of_the_trace() -> None:
    session = ReplaySession(replay_of(steps()), trace(), "fit = 0", io.StringIO())
    assert "TensorFlowTrainer.fit" in session.names.functions
    assert set(session.names.callbacks) == set(trace().hooks().callback)
    assert {"on_epoch_end", "on_test_batch_end"} <= set(session.names.hooks)
    assert {"epoch", "worst_batch"} <= set(session.names.values)
    assert any(file.endswith("trainer.py") for file in session.names.files)


def test_a_name_that_a_terminal_would_obey_is_not_offered() -> None:
    session = ReplaySession(replay_of(steps()), trace(), "fit = 0", io.StringIO())
    session.names = replace(names(), callbacks=("\x1b[2J", "Mine"))
    assert list(Shell(session).completions("b callback ")) == ["Mine"]


# As a user: through a terminal.


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[pexpect.spawn]:
    yield from open_terminal(tmp_path)


def open_terminal(state: Path, columns: int = 100, **environ: str) -> Iterator[pexpect.spawn]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    child = pexpect.spawn(
        sys.executable,
        [str(PROGRAM), "1", "1"],
        env={
            **kept,
            "TERM": "xterm-256color",
            "XDG_STATE_HOME": str(state),
            "PYTHONIOENCODING": "utf-8",
            "PROMPT_TOOLKIT_NO_CPR": "1",
        }
        | environ,
        dimensions=(40, columns),
        encoding="utf-8",
        timeout=20,
    )
    child.delaybeforesend = None
    try:
        child.expect(READY if environ.get("TERM") != "dumb" else r"\(fittrace\)")
        yield child
    finally:
        child.close(force=True)


def ask(terminal: pexpect.spawn, keys: str, expected: str) -> str:
    """Type a line; all that the terminal is sent until it shows what is expected. Then it is ready for the next."""
    terminal.send(f"{keys}\r")
    terminal.expect(expected)
    sent: str = terminal.before + terminal.after
    terminal.expect(READY)
    return sent


def plain(sent: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[>=]", "", sent).replace("\r", "")


def test_a_session_on_a_terminal(terminal: pexpect.spawn) -> None:
    assert "->      logs = fit_loop(model" in plain(ask(terminal, "s", "return"))
    ask(terminal, "b hook on_epoch_end", "breakpoint 1: hook on_epoch_end")
    assert "epoch 0 (train)" in plain(ask(terminal, "c", "logs={"))
    ask(terminal, "why", "callback in self.callbacks")
    ask(terminal, "rc", "the beginning of the fit")
    terminal.send("q\r")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_the_tab_key_completes(terminal: pexpect.spawn) -> None:
    for keys, shown in (("tbr\t", "eak"), (" fit_\t", "loop"), ("\r", "breakpoint 1: function fit_loop")):
        terminal.send(keys)
        terminal.expect(shown)
    terminal.expect(READY)
    for keys, shown in (("b hook on_e\t", "poch_end"), ("\r", "breakpoint 2: hook on_epoch_end")):
        terminal.send(keys)
        terminal.expect(shown)


def test_history_is_there_also_the_next_time(terminal: pexpect.spawn, tmp_path: Path) -> None:
    ask(terminal, "b train, epoch == 1", "breakpoint 1: function train, epoch == 1")
    ask(terminal, "cl", "cleared 1")
    ask(terminal, "\x1b[A\x1b[A", "breakpoint 2: function train, epoch == 1")
    terminal.send("\x04")
    terminal.expect(pexpect.EOF)
    for again in open_terminal(tmp_path):
        ask(again, "\x1b[A", "breakpoint 1: function train, epoch == 1")


def test_ctrl_c_takes_the_line_back_and_ctrl_d_leaves(terminal: pexpect.spawn) -> None:
    terminal.send("c\x03")
    terminal.expect("interrupted; q quits")
    terminal.expect(READY)
    assert "step 1 of " in plain(ask(terminal, "s", "step 1 of "))
    terminal.send("\x04")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_colour_unless_it_is_not_wanted(tmp_path: Path) -> None:
    environments: list[tuple[bool, dict[str, Any]]] = [(True, {}), (False, {"NO_COLOR": "1"})]
    for wanted, environ in environments:
        for terminal in open_terminal(tmp_path, **environ):
            sent = ask(terminal, "ll", "return")
            colours = re.findall(r"\x1b\[[\d;]*(?:3[1-7]|9[1-7]|38;5;\d+)m", sent)
            assert bool(colours) is wanted, sent


def test_a_narrow_terminal_gets_no_line_that_is_too_long(tmp_path: Path) -> None:
    for terminal in open_terminal(tmp_path, columns=40, NO_COLOR="1"):
        ask(terminal, "b fit_loop", "breakpoint 1")
        ask(terminal, "c", "step 2 of")
        said = plain(ask(terminal, "ll", "return epoch_logs"))
        listed = [line for line in said.split("\n") if re.match(r" *\d+  ", line)]
        assert listed
        assert all(len(line) <= 40 for line in listed)
        assert any(line.endswith("…") for line in listed)


def test_a_dumb_terminal_will_do(tmp_path: Path) -> None:
    for terminal in open_terminal(tmp_path, TERM="dumb"):
        terminal.send("s\r")
        terminal.expect("step 1 of")
        assert "\x1b[3" not in terminal.before


def test_a_state_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for terminal in open_terminal(tmp_path / "file"):
        ask(terminal, "s", "step 1 of")
