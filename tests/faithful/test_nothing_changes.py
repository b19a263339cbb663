"""A training under fittrace is the training without it, as far as the program, its user and a debugger can see."""

from __future__ import annotations

import pytest

from .conftest import EVERYWHERE, NEWEST_ALONE
from .processes import Pair, same

# The version that runs batch-end hooks on a thread pool where no callback overrides them.
POOLED = "3.6.0"
TRAINING = [name for name in EVERYWHERE if name not in ("hostile", "raising", "looked_at")]
everywhere = pytest.mark.parametrize("scenario", TRAINING)
newest_alone = pytest.mark.parametrize("scenario", [name for name in NEWEST_ALONE if name != "two_threads"])


@everywhere
def test_weights_are_equal_bit_for_bit(pair: Pair, scenario: str) -> None:
    plain, traced = pair.both(scenario, "weights")
    assert plain and plain == traced


@newest_alone
def test_weights_of_other_fits_are_equal_bit_for_bit(newest: Pair, scenario: str) -> None:
    plain, traced = newest.both(scenario, "weights")
    assert plain and plain == traced


@everywhere
def test_history_is_equal(pair: Pair, scenario: str) -> None:
    assert same(*pair.both(scenario, "history"))


@newest_alone
def test_history_of_other_fits_is_equal(newest: Pair, scenario: str) -> None:
    assert same(*newest.both(scenario, "history"))


def test_results_of_evaluate_and_predict_are_equal(pair: Pair) -> None:
    plain, traced = pair.both("alone", "results")
    assert len(plain) == 2 and plain == traced


@everywhere
def test_hooks_have_equal_order_thread_and_logs(pair: Pair, scenario: str) -> None:
    plain, traced = pair.both(scenario, "hooks")
    assert (len(plain) > 0) == (scenario != "asynchronous")
    assert same(plain, traced)


@newest_alone
def test_hooks_of_other_fits_have_equal_order_thread_and_logs(newest: Pair, scenario: str) -> None:
    assert same(*newest.both(scenario, "hooks"))


def test_two_fits_at_once_train_as_they_would(newest: Pair) -> None:
    for thread in ("trainer-0", "trainer-1"):
        plain, traced = newest.both("two_threads", thread)
        assert plain["hooks"] and same(plain, traced)


def test_standard_output_is_equal(pair: Pair) -> None:
    assert "val_loss" in pair.plain.stdout
    assert pair.plain.stdout == pair.traced.stdout


def test_standard_error_is_equal(pair: Pair) -> None:
    assert pair.plain.said == pair.traced.said


@pytest.mark.parametrize("scenario", EVERYWHERE)
def test_random_state_after_each_fit_is_equal(pair: Pair, scenario: str) -> None:
    plain, traced = pair.both(scenario, "random")
    assert plain and plain == traced


def test_the_stack_that_a_hook_is_called_on_is_equal(pair: Pair) -> None:
    plain, traced = pair.both("changing_logs", "stacks")
    assert "fit" in {name for _, _, name in plain[0]}
    assert plain == traced


def test_callbacks_without_batch_hooks_keep_them_default(pair: Pair) -> None:
    plain, traced = pair.both("asynchronous", "is_default")
    assert {overridden for _, _, overridden in traced} == {False}
    assert plain == traced


def test_hooks_that_keras_runs_on_a_thread_pool_still_run_there(pair: Pair) -> None:
    plain = pair.plain.seen["scenarios"]["asynchronous"]["oracle"]
    pooled = sum("Pool" in thread for _, _, thread in plain)
    assert (pooled > 0) == (pair.traced.seen["keras"] == POOLED)
    hooks = pair.of("hooks", *pair.calls("asynchronous"))
    assert hooks.thread.astype(str).str.contains("Pool").sum() == pooled


def test_other_hooks_of_that_fit_run_on_equal_threads(pair: Pair) -> None:
    plain, traced = pair.both("asynchronous", "threads")
    assert plain == traced == ["MainThread"] * 2


def test_exceptions_of_callbacks_come_out_as_they_are(pair: Pair) -> None:
    plain, traced = ([one["facts"] for one in seen] for seen in pair.both("raising", "raised"))
    assert [is_the_same for is_the_same, *_ in traced] == [True, True, True]
    assert plain == traced


def test_no_exception_is_being_handled_while_a_hook_runs(pair: Pair) -> None:
    assert pair.both("raising", "exc_info") == (["None"] * 3, ["None"] * 3)


def test_tracebacks_are_equal_to_the_column(pair: Pair) -> None:
    plain, traced = pair.both("raising", "raised")
    assert {"fit", "on_train_batch_end"} <= {name for _, _, name, *_ in plain[1]["places"]}
    assert plain == traced


def test_a_debugger_is_told_of_the_same_lines(pair: Pair) -> None:
    plain, traced = pair.both("line_by_line", "lines")
    assert {"fit", "evaluate", "predict", "on_epoch_end"} <= {function for _, function, _ in plain}
    assert plain == traced


@pytest.mark.parametrize("what", ["covered", "arcs"])
def test_coverage_of_keras_source_is_equal(newest: Pair, what: str) -> None:
    if what not in newest.plain.seen["scenarios"]["covered"]:
        pytest.skip("coverage.py is not installed")
    plain, traced = newest.both("covered", what)
    assert set(plain) == {"trainer.py", "callback_list.py", "epoch_iterator.py"}
    assert plain == traced


@pytest.mark.parametrize("what", ["signature", "source", "about", "code"])
def test_inspection_of_rewritten_functions_is_equal(pair: Pair, what: str) -> None:
    plain, traced = pair.both("looked_at", "code")
    assert "TensorFlowTrainer.fit" in plain
    assert {name: one[what] for name, one in plain.items()} == {name: one[what] for name, one in traced.items()}


def test_signatures_behind_decorators_are_equal(pair: Pair) -> None:
    plain, traced = pair.both("looked_at", "wrapped")
    assert plain == traced


@pytest.mark.parametrize(
    "what", ["argv", "path", "main", "flags", "threads", "active_count", "excepthooks", "tracing", "limits"]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_surroundings_are_equal(pair: Pair, what: str, when: str) -> None:
    assert pair.plain.seen[when][what] == pair.traced.seen[when][what]


def test_the_script_is_main(newest: Pair) -> None:
    name, file, spec, package, _ = newest.traced.seen["before"]["main"]
    assert (name, spec, package) == ("__main__", "None", "None")
    assert file.endswith("run_scenarios.py")
    assert newest.traced.seen["before"]["path"][0].endswith("programs")


def test_one_finder_and_the_modules_of_capture_are_all_that_is_added(pair: Pair) -> None:
    """The differences that are left: what watches imports, and what it needs of the standard library."""
    plain, traced = (run.seen["after"] for run in (pair.plain, pair.traced))
    assert [one for one in traced["meta_path"] if one != "Finder"] == plain["meta_path"]
    assert len(traced["meta_path"]) == len(plain["meta_path"]) + 1
    added = set(traced["modules"]) - set(plain["modules"])
    assert {name.partition(".")[0] for name in added} <= {"fittrace", "sitecustomize"}
    assert set(plain["modules"]) <= set(traced["modules"])


def test_nothing_is_asked_of_hostile_values(pair: Pair) -> None:
    plain, traced = pair.both("hostile", "touched")
    assert traced == plain


def test_no_tensor_is_converted(pair: Pair) -> None:
    plain, traced = pair.both("hostile", "conversions")
    assert set(plain) >= {"numpy", "__float__", "shape"}
    assert traced == plain


def test_hostile_values_reach_the_other_callbacks_unchanged(pair: Pair) -> None:
    plain, traced = pair.both("hostile", "hooks")
    at_end = next(entry for entry in traced if entry["hook"] == "on_train_batch_end")
    assert at_end["before"]["tensor"] == "<EagerTensor>" and "<tuple>" in at_end["before"]
    assert same(plain, traced)
