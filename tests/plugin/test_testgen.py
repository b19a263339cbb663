"""`fittrace testgen`: the module that it writes passes, until the hooks change."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

import fittrace
from fittrace.cli import main

PROGRAM = """
import keras
import numpy as np
import sibling

x, y = np.ones((6, 3), "float32"), np.ones((6, 1), "float32")
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=[sibling.Mine()])
model.evaluate(x, y, verbose=0)
"""

SIBLING = """
import keras

class Mine(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["it's"] = 1.0
"""


@pytest.fixture
def recorded(imported: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trace of a program that lies in the working folder's `src`."""
    folder = pytester.mkdir("src")
    folder.joinpath("program.py").write_text(PROGRAM)
    folder.joinpath("sibling.py").write_text(SIBLING)
    with monkeypatch.context() as patch, fittrace.trace(out="traces") as run:
        patch.setattr(sys, "argv", ["src/program.py", "--quick"])
        patch.syspath_prepend("src")
        runpy.run_path("src/program.py", run_name="__main__")
    sys.modules.pop("sibling")
    return run.path


def test_the_module_passes_and_fails(recorded: Path, pytester: pytest.Pytester) -> None:
    command = ["testgen", str(recorded), "-o", "test_hooks.py", "--script", "src/program.py", "--quick"]
    assert main(command) == 0
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
    for before, after in (("epochs=2", "epochs=3"), ("it's", "its")):
        for name in ("program.py", "sibling.py"):
            file = pytester.path / "src" / name
            file.write_text(file.read_text().replace(before, after))
        pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(failed=1)
        for name, text in (("program.py", PROGRAM), ("sibling.py", SIBLING)):
            pytester.path.joinpath("src", name).write_text(text)


def test_bad_input(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["testgen", str(recorded), "-o", "src/program.py"]) == 2
    assert capsys.readouterr().err.startswith("fittrace: src/program.py: already there")
    assert main(["testgen", "traces"]) == 2
    assert "a folder of runs; give one of them" in capsys.readouterr().err
    with fittrace.trace(out="traces", name="empty"):
        pass
    assert main(["testgen", "traces/empty"]) == 2
    assert "no fit in it" in capsys.readouterr().err
