"""Of a fit that did not return it is told where it stood; of many fits, and fits in hooks, what they come to."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd
import pytest

from fittrace.cli import ls
from fittrace.tables import TraceTables
from fittrace.views.summary import print_summary

from .runs import HERE, finish, start

PROGRAM = HERE / "programs" / "standing.py"


def run(folder: Path, *arguments: str) -> TraceTables:
    finish(start(folder, *arguments, program=PROGRAM))
    return TraceTables.open(folder / "run")


def summary(trace: TraceTables) -> str:
    text = io.StringIO()
    print_summary(trace, text)
    return text.getvalue()


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> TraceTables:
    """Fits that fail, one that does not, and one that is killed."""
    return run(tmp_path_factory.mktemp("standing"), "boom", "forgiving", "failing", "killed")


def stood(trace: TraceTables, fit: int) -> list[object]:
    columns = ("at_phase", "at_callback", "at_hook", "at_stage", "at_epoch", "at_batch")
    (row,) = trace.sql(f"SELECT {', '.join(columns)} FROM fits WHERE fit = {fit}").astype(object).values.tolist()
    return [None if pd.isna(one) else one for one in row]


def test_a_fit_that_raised_stood_in_the_hook_that_did(trace: TraceTables) -> None:
    assert stood(trace, 0) == ["hooks", "Boom", "on_train_batch_end", "train", 0, 1]
    span = trace.spans().set_index("span").loc[trace.fits().at_span[0]]
    assert (span["name"], span.status) == ("Boom.on_train_batch_end", "error")


def test_a_fit_that_returned_stands_nowhere_whatever_was_caught_in_it(trace: TraceTables) -> None:
    fits = trace.fits()
    assert list(fits.status) == ["error", "ok", "error", "error", "unfinished"]
    assert stood(trace, 1) == [None] * 6
    assert stood(trace, 2)[:2] == ["hooks", "Boom"]


def test_a_fit_that_raised_elsewhere_stood_in_that_phase(trace: TraceTables) -> None:
    assert stood(trace, 3) == ["function", None, None, "train", 0, 0]


def test_a_fit_that_was_killed_stood_in_what_was_open(trace: TraceTables) -> None:
    assert stood(trace, 4) == ["hooks", "Dying", "on_test_batch_end", "test", 0, 2]


def test_people_are_told_where_fits_stood(trace: TraceTables, capsys: pytest.CaptureFixture[str]) -> None:
    text = summary(trace)
    assert "killed in validation (Dying.on_test_batch_end), epoch 0, test batch 2\n" in text
    assert "raised in Boom.on_train_batch_end, epoch 0, batch 1\n" in text
    arguments = type("Arguments", (), {"directory": trace.path.parent})()
    assert ls.COMMAND.run(arguments) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "killed by SIGKILL in validation (Dying.on_test_batch_end), epoch 0, test batch 2" in told


def test_stages_fits_in_hooks_and_many_fits_are_told_apart(tmp_path: Path) -> None:
    text = summary(run(tmp_path, "inner", "many"))
    # Two epochs of two batches, each validated with three.
    assert re.search(r"^batch +train +4 ", text, re.M)
    assert re.search(r"^batch +test +6 ", text, re.M)
    assert re.search(
        r"^inside it: Evaluating.on_epoch_end calls evaluate 2 times, 6 batches, .* % of the fit$", text, re.M
    )
    assert re.search(r"^inside it: Evaluating.on_epoch_end calls predict 2 times, 4 batches, ", text, re.M)
    table = text[text.index("\nall fits") + 1 :].splitlines()
    rows = [re.split(r"  +", re.sub(r"(standing.py):\d+", r"\1", line))[:7] for line in table[1:4]]
    # The fits of the loop are called from another line than the first one.
    assert rows == [
        ["fit", "standing.py", "keras-3 3.15.1", "ok", "1", "2", "4"],
        ["fit", "standing.py", "keras-3 3.15.1", "ok", "5", "5", "10"],
        ["predict", "standing.py", "keras-3 3.15.1", "ok", "1", "0", "3"],
    ]
