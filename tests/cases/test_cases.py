"""Known faults of Keras: `check` names each in one line where it shows, and says nothing where it does not.

`tests/cases/programs` has a program for each; the threads upstream are in their docstrings and in the rules.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from engine_matrix import KERAS, LEGACY, OLDER_KERAS_2, ROOT, Engine, require
from faithful.processes import environ, finish, start

import fittrace
from fittrace.analysis.diff import compare
from fittrace.analysis.rules import RULES, apply
from fittrace.views.comparison import line as difference_line
from fittrace.views.findings import line

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).parent / "programs"
LEGACY_OWN = "2.2.4"
"""The Keras of that environment itself."""


SAMPLED = {"slow_generator": "first=8"}
"""The programs of which only sampled batches tell what is wrong, and which batches those are."""


def traced(program: str, version: str, folder: Path, **variables: str) -> fittrace.Trace:
    """The trace of `program`, run on that Keras with these variables in its environment."""
    legacy = version.startswith("2.")
    if legacy and not LEGACY.exists():
        absent = "no Python 3.7 with Keras 2.2 here; `scripts/legacy-env` makes it"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    path = None if version == LEGACY_OWN else KERAS / version
    if path is not None and not path.exists():
        pytest.skip(f"no Keras {version} here; `scripts/env matrix` gets it")
    python = str(LEGACY) if legacy else sys.executable
    options = ["--quiet", "--python", python, "--out", str(folder), "--name", "run"]
    options += ["--run-metadata", SAMPLED[program]] if program in SAMPLED else []
    command = [sys.executable, "-m", "fittrace", "run", *options, str(PROGRAMS / f"{program}.py")]
    folder.mkdir(exist_ok=True)
    run = finish(start(command, environ(path, **variables), folder))
    assert run.returncode == 0, run.stderr[-3000:]
    trace = fittrace.open(folder / "run")
    assert trace.fits().engine_version.iloc[0] == version
    return trace


@pytest.mark.parametrize(
    ("program", "version", "lines"),
    [
        (
            "stop_skips_validation",
            "2.2.4",
            [
                "validation-skipped: fit 0, epoch 1, batch 1: Stopper.on_batch_end sets stop_training: the epoch ends "
                "after batch 1 without its validation"
            ],
        ),
        ("stop_skips_validation", "3.15.1", []),
        (
            "predict_resets_stop",
            "2.3.1",
            [
                "stop-overwritten: fit 0, epoch 0: Stopper.on_epoch_end sets stop_training, an evaluate, predict or "
                "fit in a later hook sets it back, and 12 batches follow"
            ],
        ),
        ("predict_resets_stop", "2.2.4", []),
        ("predict_resets_stop", "3.15.1", []),
        (
            "stop_at_the_beginning",
            "2.2.4",
            [
                "stop-overwritten: fit 0: Stopper.on_train_begin sets stop_training, the engine before on_epoch_begin "
                "sets it back, and 12 batches follow"
            ],
        ),
        ("stop_at_the_beginning", "3.15.1", []),
        (
            "monitor_of_another_name",
            "3.15.1",
            [
                "monitor-missing: fit 0: EarlyStopping.on_epoch_end monitors val_acc, which is in none of its logs; "
                "did you mean val_accuracy?"
            ],
        ),
        ("monitor_of_another_name", "2.2.4", []),
        (
            "saved_by_batches",
            "3.15.1",
            [
                "monitor-missing: fit 1: ModelCheckpoint.on_train_batch_end monitors val_loss, which is in no batch's "
                "logs (save_freq=4)"
            ],
        ),
        (
            "slow_now_and_then",
            "3.15.1",
            [
                "slow-callback: fit 0, epoch 0, batch 10: Saver.on_train_batch_end takes ",
                "stalls: fit 0, epoch 0, batch 10: Saver.on_train_batch_end takes 10 times the median of hooks every "
                "10 batches, 7 times",
                "slow-callback: fit 1, epoch 0: Scorer.on_epoch_end takes ",
            ],
        ),
        *(
            (
                "logs_of_their_own",
                version,
                [
                    "monitor-missing: fit 0: EarlyStopping.on_epoch_end monitors score, which Scores adds to logs of "
                    "its own",
                    "key-unseen: fit 0, epoch 0: Scores.on_epoch_end adds score to logs of its own, unseen by what "
                    "comes after Group",
                    "values-differ: fit 0, epoch 0: Scores.on_epoch_end sees loss ",
                    "logs-altered: fit 0, epoch 0: Scores.on_epoch_end makes loss ",
                ],
            )
            for version in ("3.15.1", "2.2.4")
        ),
        (
            "hooks_in_a_thread_pool",
            "3.6.0",
            ["hook-on-another-thread: fit 1: on_train_batch_end of Counting ran"],
        ),
        ("hooks_in_a_thread_pool", "3.7.0", []),
        (
            "batch_index_of_several_steps",
            "3.10.0",
            ["batch-index: fit 0, epoch 0, batch 0: on_train_batch_end was given 0, 3, ... when 2, 5, ..."],
        ),
        ("batch_index_of_several_steps", "3.11.3", []),
        (
            "evaluate_in_a_batch_hook",
            "3.15.1",
            [
                "metrics-reset: fit 0, epoch 0, batch 3: Evaluator.on_train_batch_end calls evaluate inside the epoch",
                "metrics-reset: fit 3, epoch 0, batch 0: Evaluator.on_train_batch_end calls evaluate inside the epoch",
            ],
        ),
        ("evaluate_in_a_batch_hook", "2.2.4", []),
        (
            "running_means",
            "3.15.1",
            ["running-means: fit 0, epoch 0, batch 0: LRFinder.on_train_batch_end is called as"],
        ),
        ("running_means", "2.2.4", []),
        ("mean_of_means", "3.14.0", ["mean-of-means: fit 0, epoch 0, batch 5: ProgbarLogger.on_train_batch_end shows"]),
        ("mean_of_means", "3.15.1", []),
        ("generator_validation", "2.3.1", ["last-batch-for-all: fit 0, epoch 0: on_epoch_end val_loss "]),
        ("generator_validation", "2.2.5", []),
        (
            "slow_callback",
            "3.15.1",
            [
                "slow-callback: fit 0: Sleeper.on_train_batch_end takes ",
                "logs-altered: fit 0, epoch 0: Meddler.on_epoch_end makes loss 0, which was ",
            ],
        ),
        (
            "not_finite",
            "3.15.1",
            ["not-finite: fit 0, epoch 0, batch 3: History.on_train_batch_end loss is nan; the first to see it"],
        ),
        (
            "not_finite",
            "2.2.4",
            [
                "not-finite: fit 0, epoch 0, batch 3: BaseLogger.on_batch_end loss is nan; the first to see it; "
                "samples 24 to 31"
            ],
        ),
        ("function_retraced", "3.15.1", ["function-peaks: fit 0, epoch 0, batch 5: "]),
        (
            "waiting_for_data",
            "2.2.4",
            [
                "data-wait: fit 0, epoch ",
                "data-wait: fit 1, epoch ",
                "stalls: fit 1, epoch 0, batch 24: slice takes 10 times its median every 25 batches, 8 times",
            ],
        ),
        ("slow_generator", "3.15.1", ["data-wait: fit 0, epoch 0, batch "]),
        ("growing_steps", "2.2.4", ["data-wait: fit 0", "growing-batches: fit 0, epoch 1, batch 58: a batch took "]),
        ("callable_rebuilt", "2.2.4", ["callable-rebuilt: fit 0, epoch 0, batch 1: made 12 times in train batches"]),
    ],
)
def test_case(program: str, version: str, lines: list[str], tmp_path: Path) -> None:
    outcome = apply(traced(program, version, tmp_path), RULES)
    found = outcome.found
    # What an evaluate in every epoch takes of so small batches is no part of its case.
    found = tuple(one for one in found if program != "evaluate_in_a_batch_hook" or one.rule.name != "slow-callback")
    told = [line(one) for one in found]
    assert not outcome.failed
    assert len(told) == len(lines), told
    for one, begin in zip(told, lines, strict=True):
        assert one.startswith(begin) and "\n" not in one
    assert all(one.source for one in found if one.finding.span is not None)


@pytest.mark.parametrize(
    ("version", "branch"),
    [
        (
            "3.15.1",
            "TensorFlowTrainer.fit, trainer.py:352: `if validation_data is not None:` is entered 0 of 1 times",
        ),
        ("2.2.4", "fit_loop, training_arrays.py:209: `if do_validation:` is entered 0 of 2 times in A, 2 of 2 in B"),
    ],
)
def test_diff_names_the_branch_that_one_took(version: str, branch: str, tmp_path: Path) -> None:
    a = traced("validated", version, tmp_path / "a")
    b = traced("validated", version, tmp_path / "b", VALIDATED="1")
    flow = compare(a, b, ["flow"]).differences
    assert [one for one in map(difference_line, flow) if one.startswith(f"flow branch: fit 0: {branch}")]
    assert compare(a, a, ["hooks", "logs", "flow"]).alike


def test_diff_of_two_versions(tmp_path: Path) -> None:
    """A fit is alike in Keras 3.10 and 3.11 but for what they have mended."""
    a, b = (traced("batch_index_of_several_steps", version, tmp_path / version) for version in ("3.10.0", "3.11.3"))
    found = [difference_line(one) for one in compare(a, b, ["hooks", "flow"]).differences]
    assert found == []


@pytest.mark.parametrize("engine", ["keras-2.2", "tf-keras-v1", "tf-keras", "keras-3"])
def test_the_reference_traces_have_no_findings(engine: str) -> None:
    outcome = apply(fittrace.open(ROOT / "traces" / f"reference-{engine}"), RULES)
    assert not outcome.found and not outcome.failed


@pytest.mark.parametrize("engine", [one for one in OLDER_KERAS_2 if one.version in ("2.2.5", "2.3.1")], ids=str)
def test_a_clean_run_has_no_findings(engine: Engine, tmp_path: Path) -> None:
    """As tests/engines/test_digits.py says of the newest of each engine."""
    require(engine)
    options = ["--quiet", "--python", str(engine.python), "--out", str(tmp_path), "--name", "run"]
    program = [str(ROOT / "docs/examples/digits.py"), engine.argument]
    command = [sys.executable, "-m", "fittrace", "run", *options, *program]
    run = finish(start(command, environ(engine.path), tmp_path))
    assert run.returncode == 0, run.stderr[-3000:]
    outcome = apply(fittrace.open(tmp_path / "run"), RULES)
    assert [line(finding) for finding in outcome.found] == [] and not outcome.failed
