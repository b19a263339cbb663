"""Public faults, each with a program that shows it, and what `check` must say of it.

`scripts/faults` runs them all, prints how many are named, and writes docs/faults.md.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from .recorded import PROGRAMS, TF_KERAS

DIFF = "diff"
"""The rule of a fault that a comparison with the good version shows."""
NOT_YET = "none"
"""The rule of a fault that fittrace does not name."""


@dataclass(frozen=True)
class Fault:
    """A fault that users reported.

    - `program`: the program that shows it, as `recorded.traced` has it.
    - `versions`: the versions of Keras that have the fault and run it here.
    - `rule`: the rule that must find it; `DIFF`, or `NOT_YET`.
    - `threads`: where it was reported: `keras#N`, `tensorflow#N` or an address. Empty for one of our own.
    - `good`: versions without the fault, on which the rule must be silent.
    - `options`: further options of `fittrace run`.
    - `dies`: whether the program is killed.
    """

    program: str
    versions: tuple[str, ...]
    rule: str
    threads: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    dies: bool = False

    @property
    def text(self) -> str:
        """What the user sees: the first paragraph of the program's docstring."""
        return described(self.program)


def described(program: str) -> str:
    """The first paragraph of a program's docstring, on one line."""
    text = ast.get_docstring(ast.parse((PROGRAMS / f"{program}.py").read_text("utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _fault(program: str, versions: str, rule: str, threads: str = "", **more: object) -> Fault:
    return Fault(f"../faults/{program}", tuple(versions.split()), rule, tuple(threads.split()), **more)  # type: ignore[arg-type]


def _case(program: str, version: str, rule: str, threads: str = "", **more: object) -> Fault:
    return Fault(program, (version,), rule, tuple(threads.split()), **more)  # type: ignore[arg-type]


NEW = "3.15.1"
EVERY_FIFTH = ("--run-metadata", "every=5")

FAULTS = (
    _case("stop_skips_validation", "2.2.4", "validation-skipped", "keras#12268", good=(NEW,)),
    _case("predict_resets_stop", "2.3.1", "stop-overwritten", "tensorflow#37587 keras#13381", good=("2.2.4", NEW)),
    _case("stop_at_the_beginning", "2.2.4", "stop-overwritten", "tensorflow#37587", good=(NEW,)),
    _case("monitor_of_another_name", NEW, "monitor-missing", "keras#13689"),
    _case("saved_by_batches", NEW, "monitor-missing", "tensorflow#33163 tensorflow#41632"),
    _case("slow_now_and_then", NEW, "slow-callback"),
    _case("logs_of_their_own", NEW, "key-unseen", "tensorflow#41851 tensorflow#45895"),
    _case("hooks_in_a_thread_pool", "3.6.0", "hook-on-another-thread", "keras#20382", good=("3.7.0",)),
    _case("batch_index_of_several_steps", "3.10.0", "batch-index", "keras#20861", good=("3.11.3",)),
    _case("evaluate_in_a_batch_hook", NEW, "metrics-reset", "keras#16526 keras#12959 tensorflow#42994"),
    _case("running_means", NEW, "running-means", "tensorflow#58098 keras#13530", good=("2.2.4",)),
    _case("mean_of_means", "3.14.0", "mean-of-means", "keras#21301", good=(NEW,)),
    _case("generator_validation", "2.3.1", "last-batch-for-all", "keras#13469 keras#13780", good=("2.2.5",)),
    _case("not_finite", NEW, "not-finite"),
    _case("function_retraced", NEW, "function-peaks"),
    _case("waiting_for_data", "2.2.4", "data-wait", "keras#12683 keras#7168"),
    _case("slow_generator", NEW, "data-wait", "keras#13549 tensorflow#33024", options=("--run-metadata", "first=8")),
    _case("growing_steps", "2.2.4", "growing-batches"),
    _case("callable_rebuilt", "2.2.4", "callable-rebuilt"),
    _fault("early_stopping_of_two_fits", "3.6.0", "best-of-another-fit", "keras#20256 keras#20521", good=(NEW,)),
    _fault("checkpoint_of_two_fits", NEW, "best-of-another-fit"),
    _fault("epochs_of_other_length", TF_KERAS, "data-ran-out", "tensorflow#41571"),
    _fault("generator_that_ends", f"{TF_KERAS} {NEW}", "data-ran-out", "keras#12773"),
    _fault("dataset_without_repeat", "3.6.0", "data-ran-out", "tensorflow#36539 tensorflow#47938", good=(NEW,)),
    _fault("validation_used_up", f"{TF_KERAS} {NEW}", "validation-ran-out", "keras#15392"),
    _fault("validation_without_end", NEW, "endless-validation", "keras#8595 tensorflow#39465", dies=True),
    _fault("save_freq_of_epochs", f"{TF_KERAS} {NEW}", "save-freq-in-batches", "tensorflow#57017"),
    _fault("csv_without_validation", NEW, "csv-columns", "keras#21173"),
    _fault("csv_of_later_keys", f"2.2.4 {NEW}", "csv-columns"),
    _fault("scheduler_against_plateau", f"{TF_KERAS} {NEW}", "learning-rate-overwritten", "keras#8829"),
    _fault("callback_given_twice", NEW, "callback-twice"),
    _fault("large_shuffle_buffer", NEW, "gaps-between-epochs", "tensorflow#47090 tensorflow#30646"),
    _fault("model_in_each_turn", NEW, "first-batch", "tensorflow#46012 tensorflow#42441"),
    _fault("short_fit_with_xla", NEW, "first-batch", "keras#18648 keras#19953"),
    _fault("eager_fit", NEW, "runs-eagerly", "tensorflow#30561 tensorflow#33487"),
    _fault("fit_of_one_sample", NEW, "calls-in-a-loop", "tensorflow#35124 keras#13710"),
    _fault("tensorboard_histograms", "2.2.4", "histograms-validate-again", "keras#10091"),
    _fault("tensorboard_profile", f"{TF_KERAS} {NEW}", "profiled-batch", "tensorflow#37876 tensorflow#37543"),
    _fault("weights_every_twenty_batches", NEW, "stalls", "keras#5008"),
    _fault("predict_in_each_epoch", NEW, "slow-callback", "keras#4168"),
    _fault("slow_map", NEW, "data-wait", "tensorflow#45114", options=EVERY_FIFTH),
    _fault("slow_pydataset", NEW, "data-wait", "keras#16333", options=EVERY_FIFTH),
    _fault(
        "train_step_without_metric", f"{TF_KERAS} {NEW}", "epoch-loss-of-last-batch",
        "https://github.com/recommenders-team/recommenders/issues/585 https://github.com/keras-team/keras-core/issues/485",
    ),
    _fault("validation_split_of_sorted_data", "2.2.4", "sorted-validation-split", "keras#8346 keras#6422"),
    _fault("validation_on_training_data", NEW, "validated-on-training-data", "keras#6977 keras#8421 tensorflow#29964"),
    _fault("bar_averages_a_key", TF_KERAS, "bar-average", "tensorflow#62643", good=(NEW,)),
    _fault("accumulated_gradients", "3.3.3", DIFF, "keras#19990", good=("3.6.0",)),
    _fault("memory_kept_by_a_callback", NEW, "memory-growth", "keras#13195 tensorflow#40523"),
    _fault("trainable_in_a_callback", NEW, NOT_YET, "tensorflow#47906 keras#3268"),
    _fault("learning_rate_replaced", "2.2.4", NOT_YET, "keras#3922"),
)  # fmt: skip
"""The faults, those of a kind together."""

CLEAN_ON = {"2.2.4": ("tf_data", "own_train_step")}
"""By version, the clean programs that cannot run on it."""
CLEAN = tuple(f"../clean/{path.stem}" for path in sorted((Path(__file__).parent / "clean").glob("*.py")))
"""Ordinary programs, in which no rule may find anything."""
OF_VERSION = {"3.6.0": ("mean-of-means",)}
"""By version, the rules that speak of a fault of the version itself, which every program on it may show."""
CLEAN_VERSIONS = ("2.2.4", TF_KERAS, "3.6.0", NEW)
