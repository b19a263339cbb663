"""The session in docs/replay.md is what the prompt says, and its code runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from made import replay_session

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / replay_session.PAGE).read_text(encoding="utf-8")


def masked(text: str) -> str:
    """A text without what differs from run to run and from machine to machine: times, and the last digits of losses."""
    text = re.sub(r"\d[\d.,]* (ns|µs|ms|s)\b", "(time)", text)
    return re.sub(r" +", " ", re.sub(r"(\d\.\d)\d+", r"\1", text))


@pytest.mark.slow
def test_the_session_is_what_the_prompt_says(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (ROOT / replay_session.PYTHON).exists():
        absent = "no Python 3.7 with Keras 2.2 here; `scripts/legacy-env` makes it"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    assert masked(replay_session.with_session(TEXT)) == masked(TEXT), "make it anew with scripts/replay-doc"


def test_what_the_page_says_of_the_session_is_in_it() -> None:
    said = TEXT.partition(replay_session.BEGIN)[2].partition(replay_session.END)[0]
    epochs = re.findall(r"^ +callback=ModelCheckpoint .*logs=\{(.*)\}$", said, flags=re.MULTILINE)
    assert ["val_loss" in logs for logs in epochs] == [True, True, False]
    assert re.search(r"205  if callback_model.stop_training: +taken  epoch 2, batch 3", said)


def test_its_code_runs() -> None:
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Patient set stop_training in on_epoch_end" in done.stdout
