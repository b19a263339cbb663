from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from engine_matrix import OLDER_KERAS_2, ROOT, Engine, require
from faithful.processes import environ, finish, start

import fittrace
from fittrace.analysis.diff import compare
from fittrace.analysis.rules import RULES, RuleOutcome, apply
from fittrace.views.comparison import line as difference_line
from fittrace.views.findings import line

from .recorded import Recorded, missing, record, traced

pytestmark = pytest.mark.slow

CASES = [
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
]
"""The programs: the name of each, the version of Keras, and how each line that `check` prints begins."""

SAMPLED = {"slow_generator": "first=8"}
"""The programs whose fault only sampled batches show, and which batches these are."""


def required(version: str) -> str:
    """`version`, or skip the test with the reason where it is not here; in CI that is a failure."""
    absent = missing(version)
    if absent is not None:
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    return version


@pytest.fixture(scope="session")
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The programs on the version of Keras that is the parameter."""
    programs = [program for program, version, _ in CASES if version == request.param and program not in SAMPLED]
    return record(required(request.param), programs, tmp_path_factory.mktemp(f"cases-{request.param}"))


def check_lines(program: str, outcome: RuleOutcome, lines: list[str]) -> None:
    """Assert that `outcome` has a finding for each of `lines`, which begins so, and no other."""
    # An evaluate in a hook takes most of the time of such small batches. That is not the fault of this program.
    found = [
        result
        for result in outcome.found
        if program != "evaluate_in_a_batch_hook" or result.rule.name != "slow-callback"
    ]
    printed = [line(result) for result in found]
    assert not outcome.failed
    assert len(printed) == len(lines), printed
    for text, begin in zip(printed, lines, strict=True):
        assert text.startswith(begin) and "\n" not in text
    assert all(result.source for result in found if result.finding.span is not None)


@pytest.mark.parametrize(
    ("recorded", "program", "lines"),
    [(version, program, lines) for program, version, lines in CASES if program not in SAMPLED],
    indirect=["recorded"],
    scope="session",  # without it each test would record anew: a parameter's scope overrides the fixture's
)
def test_case(recorded: Recorded, program: str, lines: list[str]) -> None:
    check_lines(program, recorded.found(program), lines)


@pytest.mark.parametrize(("program", "version", "lines"), [case for case in CASES if case[0] in SAMPLED])
def test_case_that_is_sampled(program: str, version: str, lines: list[str], tmp_path: Path) -> None:
    trace = traced(program, required(version), tmp_path, options=["--run-metadata", SAMPLED[program]])
    check_lines(program, apply(trace, RULES), lines)


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
    assert [text for text in map(difference_line, flow) if text.startswith(f"flow branch: fit 0: {branch}")]
    assert compare(a, a, ["hooks", "logs", "flow"]).alike


def test_diff_of_two_versions(tmp_path: Path) -> None:
    """A fit is alike in Keras 3.10 and 3.11, apart from the faults that 3.11 corrects."""
    a, b = (traced("batch_index_of_several_steps", version, tmp_path / version) for version in ("3.10.0", "3.11.3"))
    found = [difference_line(difference) for difference in compare(a, b, ["hooks", "flow"]).differences]
    assert found == []


@pytest.mark.parametrize("engine", ["keras-2.2", "tf-keras-v1", "tf-keras", "keras-3"])
def test_the_reference_traces_have_no_findings(engine: str) -> None:
    outcome = apply(fittrace.open(ROOT / "traces" / f"reference-{engine}"), RULES)
    assert not outcome.found and not outcome.failed


@pytest.mark.parametrize(
    "engine", [engine for engine in OLDER_KERAS_2 if engine.version in ("2.2.5", "2.3.1")], ids=str
)
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
