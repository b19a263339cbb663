"""The example, docs/examples/digits.py, under trace on each engine: the trace is what the script itself saw."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from engine_matrix import LEGACY, NEWEST, ROOT, Engine, require
from faithful.processes import environ, finish, start
from named_rows import named_rows

import fittrace
from fittrace.analysis.rules import RULES, apply
from fittrace.views.findings import line

from .conftest import Trained

pytestmark = pytest.mark.slow

PROGRAM = ROOT / "tests" / "engines" / "programs" / "digits.py"
ARGUMENTS = {"keras-3": "keras", "tf_keras": "tf_keras", "tf_keras-v1": "tf_keras-v1", "keras": "keras"}
PATIENCE = 1


@pytest.fixture(scope="module", params=[engine for engine in NEWEST if engine.argument in ARGUMENTS], ids=str)
def digits(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    engine: Engine = require(request.param)
    folder = tmp_path_factory.mktemp(f"digits-{engine}")
    options = ["--quiet", "--python", str(engine.python), "--out", str(folder), "--name", "run"]
    command = [sys.executable, "-m", "fittrace", "run", *options, str(PROGRAM), ARGUMENTS[engine.argument]]
    sees = folder / "seen.json"
    variables = {"SEEN": str(sees), "DIGITS": str(ROOT / "docs" / "examples" / "digits.py")}
    run = finish(start(command, environ(**variables), folder), sees)
    assert run.returncode == 0, run.stderr[-3000:]
    return Trained(engine, run, run, fittrace.open(folder / "run"))


def test_hooks_are_those_that_the_callback_saw(digits: Trained) -> None:
    hooks = digits.of("hooks", 0, callback="Seeing")
    told = []
    for row in named_rows(hooks[~hooks.hook.str.startswith("on_test")]):
        number = row.epoch if "epoch" in row.hook else row.batch if "batch" in row.hook else None
        told.append([row.hook.replace("train_batch", "batch"), number, row.thread])
    assert told == digits.traced.seen["hooks"]


def test_logs_of_epochs_are_the_history(digits: Trained) -> None:
    ends = digits.of("hooks", 0, hook="on_epoch_end").sort_values(["epoch", "position"])
    last = ends.groupby("epoch").tail(1).logs_after.tolist()
    history = digits.traced.seen["history"]
    assert {key for logs in last for key in logs} == set(history)
    for key, values in history.items():
        assert [logs[key] for logs in last] == pytest.approx(values, rel=1e-6), key


def test_fits_say_where_the_program_calls_them(digits: Trained) -> None:
    called = digits.trace.fits()
    assert set(called.caller_file.map(lambda file: Path(file).name)) == {"digits.py"}
    lines = (ROOT / "docs" / "examples" / "digits.py").read_text("utf-8").splitlines()
    # Python 3.7 gives the line of a call's last argument.
    begin = {method: next(n for n, line in enumerate(lines, 1) if f".{method}(" in line) for method in called.method}
    most = {"fit": 11 if digits.engine.python == LEGACY else 0, "evaluate": 0}
    for method, number in zip(called.method, called.caller_line, strict=True):
        assert 0 <= number - begin[method] <= most[method]
    assert set(called.caller_function) == {"main"}


def test_a_clean_run_has_no_findings(digits: Trained) -> None:
    outcome = apply(digits.trace, RULES)
    assert [line(finding) for finding in outcome.found] == [] and not outcome.failed


def test_time_adds_up(digits: Trained) -> None:
    total = digits.trace.spans().groupby("fit").self_ns.sum()
    assert total.to_dict() == digits.trace.fits().set_index("fit").duration_ns.to_dict()


def test_batches_have_their_count_and_sizes(digits: Trained) -> None:
    epochs = len(digits.traced.seen["history"]["loss"])
    batches = digits.of("batches", 0)
    for epoch in range(epochs):
        mine = batches[batches.epoch == epoch]
        assert mine[mine.stage == "train"]["size"].tolist() == [16] * 75
        assert mine[mine.stage == "test"]["size"].tolist() == [16] * 18 + [12]
    assert digits.of("batches", 1)["size"].tolist() == [32] * 9 + [9]


def test_the_early_stop_is_told(digits: Trained) -> None:
    epochs = len(digits.traced.seen["history"]["loss"])
    assert epochs < 12
    (stop,) = named_rows(digits.of("stops", 0))
    assert (stop.callback, stop.hook, stop.epoch, stop.value) == ("EarlyStopping", "on_epoch_end", epochs - 1, "True")


def test_samples_of_an_epoch_are_each_in_one_batch(digits: Trained) -> None:
    if digits.engine.loops_over_arrays:
        samples = [sample for batch in range(75) for sample in digits.trace.batch_samples(0, 1, batch)]
        assert sorted(samples) == list(range(1200)) and samples != sorted(samples)
