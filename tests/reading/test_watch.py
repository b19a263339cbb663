"""`fittrace watch`: its figures and pictures, and the command on a terminal and in a pipe."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from fittrace.cli import main
from fittrace.store.live.fit_totals import OTHER, FirstBadValue, FitTotals, Stop
from fittrace.views.watch_display import display
from fittrace.views.watch_figures import WatchFigures, findings, rate, remaining_ns
from fittrace.views.watch_lines import WatchLines
from reading.stores import write_run

SECOND = 1_000_000_000
GROWING = Path(__file__).parent / "growing.py"
SHOW_SCREEN, HIDE_SCREEN, SHOW_CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


def fit_of(**facts: Any) -> FitTotals:
    """The second of four epochs of 100 batches: 50 are done, ten in a second. The first epoch took 12 s."""
    fit = FitTotals(
        0,
        arguments={"epochs": 4.0, "initial_epoch": 0.0},
        batches={"train": 150},
        batch_ns={"train": 15 * SECOND},
        phase_ns={("train", "function"): 9 * SECOND, ("train", "hooks"): 5 * SECOND, ("train", OTHER): SECOND},
        hook_ns={("Slow", "on_train_batch_end"): 4 * SECOND, ("Slow", "on_epoch_end"): 9 * SECOND},
        hook_calls={("Slow", "on_train_batch_end"): 150, ("Slow", "on_epoch_end"): 1},
        epochs=1,
        epoch=1,
        batch=49,
        batches_in_epoch=50,
        steps=100,
        batch_logs={"loss": 0.25, "mae": 0.5},
        epoch_logs={"loss": 0.5, "val_loss": 0.75},
    )
    fit.epoch_ns.append(12 * SECOND)
    fit.recent.extend([(0, 1), (10 * SECOND, 100), (15 * SECOND, 150)])
    for number in range(150):
        fit.loss.add(1 / (number + 1))
    for name, value in facts.items():
        setattr(fit, name, value)
    return fit


def picture(width: int, height: int, fit: FitTotals | None = None, **facts: Any) -> list[str]:
    fit = fit or fit_of()
    figures = WatchFigures("a1", 27 * SECOND, 1, "keras-3 3.15", fit, 612_000_000, tuple(findings(fit)))
    return display(WatchFigures(**{**vars(figures), **facts}), width, height).plain.split("\n")


def test_rate_is_that_of_the_last_ten_seconds() -> None:
    assert rate(fit_of()) == 10.0
    assert rate(fit_of(arguments={"compile.steps_per_execution": 4.0})) == 40.0
    assert rate(FitTotals(0)) is None


def test_remaining_time_is_that_of_whole_epochs() -> None:
    assert remaining_ns(fit_of()) == pytest.approx(2.5 * 12 * SECOND)
    assert remaining_ns(fit_of(status="ok")) is None
    assert remaining_ns(fit_of(arguments={})) is None


def test_remaining_time_of_the_first_epoch_is_that_of_its_batches() -> None:
    first = fit_of(epoch=0, steps=0, arguments={"epochs": 4.0, "steps_per_epoch": 100.0})
    first.epoch_ns.clear()
    assert remaining_ns(first) == pytest.approx(350 * SECOND / 10)
    assert remaining_ns(fit_of(epoch=0, steps=0)) is None  # nobody knows how long an epoch is


def test_the_picture_has_all_figures() -> None:
    lines = "\n".join(picture(80, 24))
    for text in (
        "a1  keras-3 3.15  27 s",
        "fit 0  epoch 2/4  batch 50/100",
        "37.5 %",
        "rate 10 batches/s   remaining 30 s   memory 612 MB",
        "! Slow.on_train_batch_end takes 26.7 % of the batches' time, 26.7 ms a call",
        "loss 0.25      █▄▂",
        "val_loss 0.75   mae 0.5",
        " 60.0 %     60 ms",
        "4 s   26.7 ms a call  Slow.on_train_batch_end",
    ):
        assert text in lines, lines


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60), (40, 24), (20, 8), (9, 3), (1, 1)])
def test_the_picture_fits_the_terminal(width: int, height: int) -> None:
    lines = picture(width, height)
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)


def test_unknown_figures_are_dashes() -> None:
    lines = picture(80, 24, FitTotals(0), memory_bytes=None)
    assert "rate –   remaining –   memory –" in "\n".join(lines)
    assert picture(80, 24, fit=None, processes=0)[0]


def test_a_hostile_name_does_nothing_to_the_terminal() -> None:
    fit = fit_of(hook_ns={("\x1b]0;x\x07", "on_epoch_end"): 1}, hook_calls={("\x1b]0;x\x07", "on_epoch_end"): 1})
    fit.batch_logs = {"\x1b[2J": 1.0}
    text = "".join(picture(80, 24, fit, run="\x1b[31m", findings=()))
    assert "\x1b" not in text and "\\x1b[2J" in text


def test_findings_say_what_and_when() -> None:
    fit = fit_of(bad_values={"loss": FirstBadValue("loss", float("nan"), 2, 14)})
    fit.stops.append(Stop("True", "EarlyStopping", "on_epoch_end", 3))
    found = list(findings(fit))
    assert "loss is nan since epoch 2, batch 14" in found
    assert "stop_training was set to True by EarlyStopping.on_epoch_end in epoch 3" in found


def test_each_epoch_and_each_finding_has_one_line() -> None:
    fit, lines = fit_of(), WatchLines()
    figures = WatchFigures("a1", 0, fit=fit, findings=tuple(findings(fit)))
    first = list(lines.new(figures))
    assert first[0] == "fit 0 epoch 1/4, 12 s, 10 batches/s, 30 s remaining, loss 0.5, val_loss 0.75"
    assert first[1].startswith("! Slow.on_train_batch_end takes 26.7 %")
    fit.hook_ns["Slow", "on_train_batch_end"] += SECOND
    assert not list(lines.new(WatchFigures("a1", 0, fit=fit, findings=tuple(findings(fit)))))
    fit.epochs = 3
    assert [line[:15] for line in lines.new(figures)] == ["fit 0 epoch 3/4"]


def test_no_run_that_goes_on_is_one_line_and_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "traces")
    assert main(["watch"]) == 2
    assert capsys.readouterr().err == (
        "fittrace: watch: no run goes on in traces/; start one with `fittrace run script.py`, or give a trace\n"
    )


def test_a_run_that_has_ended_is_said_to_have(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(run)]) == 0
    assert capsys.readouterr().out == f"a1: has ended (ok); fittrace show {run}\n"


@contextmanager
def growing(folder: Path, pause_s: float) -> Iterator[Path]:
    """A run that goes on while the block runs."""
    command = [sys.executable, str(GROWING), str(folder), str(pause_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
            yield folder
        finally:
            writer.kill()


def watch(folder: Path) -> pexpect.spawn:
    words = ["-m", "fittrace", "watch", str(folder)]
    return pexpect.spawn(sys.executable, words, dimensions=(24, 80), encoding="utf-8", timeout=90)


def restored(text: str) -> str:
    """What is on the usual screen afterwards. The other screen and the hidden cursor are gone."""
    assert text.count(SHOW_SCREEN) == text.count(HIDE_SCREEN) == 1
    assert text.rindex(SHOW_CURSOR) > text.rindex("\x1b[?25l")
    return text.partition(HIDE_SCREEN)[2]


def test_a_pipe_gets_lines_to_the_end_of_the_run(tmp_path: Path) -> None:
    with growing(tmp_path / "a1", pause_s=0.3) as folder:
        command = [sys.executable, "-m", "fittrace", "watch", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    assert "\x1b" not in done.stdout and done.stderr == ""
    *epochs, last = done.stdout.splitlines()
    assert epochs and all(re.match(r"fit 0 epoch \d+, |! ", line) for line in epochs)
    assert re.fullmatch(r"ended after .* \(ok\); fittrace show .*/a1", last)


def test_a_terminal_gets_pictures_and_the_last_one_stays(tmp_path: Path) -> None:
    with growing(tmp_path / "a1", pause_s=0.3) as folder:
        terminal = watch(folder)
        terminal.logfile_read = log = (tmp_path / "log").open("w+", encoding="utf-8")
        terminal.expect(pexpect.EOF)
        terminal.close()
    log.seek(0)
    text = log.read()
    left = restored(text)
    assert terminal.exitstatus == 0
    assert text.count("\x1b[H") > 5 and "\x1b[2J" not in text  # drawn over, never wiped: no flicker
    assert "ended: ok" in left and "ended after" in left.splitlines()[-1]


@pytest.mark.parametrize(("end", "exit_code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_watch_that_is_stopped_restores_the_terminal(tmp_path: Path, end: str, exit_code: int) -> None:
    with growing(tmp_path / "a1", pause_s=3.0) as folder:
        terminal = watch(folder)
        terminal.logfile_read = log = (tmp_path / "log").open("w+", encoding="utf-8")
        terminal.expect("a1")
        terminal.sendintr() if end == "SIGINT" else terminal.kill(getattr(signal, end))
        terminal.expect(pexpect.EOF)
        terminal.close()
    log.seek(0)
    restored(log.read())
    assert terminal.exitstatus == exit_code


def test_a_killed_run_ends_the_watch(tmp_path: Path) -> None:
    with growing(tmp_path / "a1", pause_s=2.0) as folder:
        terminal = watch(folder)
        terminal.expect("a1")
    terminal.expect(r"ended after .*\(cut off\); fittrace show")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


TRAINING = """
import keras
import numpy as np

x, y = np.ones((320, 4)), np.ones(320)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, y, batch_size=32, epochs=3, validation_split=0.2)
"""


@pytest.mark.slow
def test_a_training_is_watched_to_its_end(tmp_path: Path) -> None:
    pytest.importorskip("keras")
    (tmp_path / "train.py").write_text(TRAINING)
    # Its output goes to a file, so that it shares no terminal with the watch.
    with (tmp_path / "train.log").open("wb") as log:
        command = [sys.executable, "-m", "fittrace", "run", "--name", "a1", "train.py"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log) as training:
            while not (tmp_path / "traces" / "a1" / "run.json").exists():
                time.sleep(0.05)
            words = [sys.executable, "-m", "fittrace", "watch", "traces/a1"]
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=True)
            assert training.wait(100) == 0
    *_, last_epoch, last = done.stdout.splitlines()
    assert last_epoch.startswith("fit 0 epoch 3/3, ") and "val_loss" in last_epoch
    assert re.fullmatch(r"ended after .* \(ok\); fittrace show traces/a1", last)
