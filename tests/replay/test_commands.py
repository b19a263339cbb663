"""`fittrace replay` and `fittrace lines` on a real trace, as a user calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

import fittrace
from fittrace.cli import main
from fittrace.replay import Replay

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "traces" / "reference-keras-3"


@pytest.fixture(scope="module")
def replay() -> Replay:
    return fittrace.open(REFERENCE).replay()


def test_json_has_every_step(replay: Replay, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(REFERENCE), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == len(replay)
    for index in (0, 20, len(rows) - 1):
        step = replay[index]
        assert {name: rows[index][name] for name in ("function", "line", "source", "start_ns", "duration_ns")} == {
            name: getattr(step, name) for name in ("function", "line", "source", "start_ns", "duration_ns")
        }


def test_plain_has_the_steps_of_a_batch_or_an_epoch(replay: Replay, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(REFERENCE), "--plain", "--epoch", "1", "--batch", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "# epoch 1, batch 3 (train)"
    steps = [step for step in replay if (step.stage, step.epoch, step.batch) == ("train", 1, 3)]
    assert len(lines) == 1 + len(steps)
    assert "train_function" in next(line for line in lines if "logs = self." in line)
    assert main(["replay", str(REFERENCE), "--plain", "--epoch", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("# epoch 1, batch ") for line in lines) >= 75 + 19
    assert not any(line.startswith("# epoch 2") for line in lines)


def test_lines_annotate_the_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lines", str(REFERENCE)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("TensorFlowTrainer.fit  keras/src/backend/tensorflow/trainer.py, ")
    line = next(line for line in text.splitlines() if "logs = self.train_function(iterator)" in line)
    assert line.split()[1] == "450"
    assert max(map(len, text.splitlines())) < 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", str(REFERENCE), "--batch", "3"], "replay: --batch without --epoch"),
        (["replay", str(REFERENCE), "--epoch", "99"], "epoch 99"),
        (["replay", str(REFERENCE), "--fit", "99"], "fit 99"),
        (["lines", str(REFERENCE), "--fit", "99"], "fit 99"),
        (["replay", "/nowhere"], "/nowhere"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.splitlines()) == 1


def test_a_session_on_a_terminal(tmp_path: Path) -> None:
    environ = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "XDG_STATE_HOME": str(tmp_path)}
    environ |= {"PROMPT_TOOLKIT_NO_CPR": "1", "PYTHONIOENCODING": "utf-8"}
    command = ["-m", "fittrace", "replay", str(REFERENCE), "--epoch", "2", "--batch", "5"]
    child = pexpect.spawn(
        sys.executable, command, cwd=str(ROOT), env=environ, encoding="utf-8", timeout=40, dimensions=(40, 120)
    )
    ready = r"\x1b\[\?2004h.*?\(fittrace\)"
    for keys, expected in (
        ("", r"epoch 2, batch 5 \(train\)"),
        ("b hook on_epoch_end, val_loss < 0.3\r", "breakpoint 1: hook on_epoch_end, val_loss < 0.3"),
        ("c\r", r"epoch 2 \(train\).*val_loss: 0\.\d+"),
        ("u\r", r"callbacks\.on_epoch_end\(epoch, epoch_logs\)"),
        ("why\r", r"if validation_data is not None and self._should_eval\( +taken"),
        ("rc\r", "the beginning of the fit"),
    ):
        child.send(keys)
        child.expect(expected)
        child.expect(ready)
    child.send("q\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m fittrace replay "{REFERENCE}" --json | head -1'
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert not done.stderr
