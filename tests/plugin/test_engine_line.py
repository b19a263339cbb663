"""The engine's line that a failure shows: in its loop where one line calls the hook, else in its callback list."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fittrace.analysis.hook_calls import Call
from fittrace.pytest_plugin.engine_line import engine_line

ENGINE = """\
class CallbackList:
    def on_epoch_end(self, epoch):
        for callback in self.callbacks:
            callback.on_epoch_end(epoch)

class Model:
    def fit(self, callbacks):
        callbacks.on_epoch_end(0)
        {more}
"""


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ("pass", "{file}:8 in Model.fit: callbacks.on_epoch_end(0)"),
        ("callbacks.on_epoch_end(1)", "{file}:3 in CallbackList.on_epoch_end: for callback in self.callbacks:"),
    ],
)
def test_the_line_is_in_the_loop_if_one_line_calls_the_hook(tmp_path: Path, more: str, line: str) -> None:
    file = tmp_path / "engine.py"
    file.write_text(ENGINE.format(more=more))
    spans = pd.DataFrame({"span": [1, 2], "parent": [0, 1], "site": [10, 20]})
    sites = pd.DataFrame(
        {
            "site": [10, 20],
            "file": [str(file)] * 2,
            "function": ["Model.fit", "CallbackList.on_epoch_end"],
            "line": [7, 3],
        }
    )
    assert engine_line(Call("on_epoch_end", "History", 0, None, 2), spans, sites) == line.format(file=file)
