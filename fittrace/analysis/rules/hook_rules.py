"""Rules on hooks: their time, thread, order and arguments."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..callback_settings import settings_of
from ..hook_calls import calls_of, passed_on
from ..pattern import match, parse
from .loop_order import is_proper
from .rule import Finding, is_whole, keras, rule, version_of
from .slow_hook_rule import slow_callback


@rule(
    "hook-on-another-thread",
    effect="the callback runs in parallel to the training and may see a later state of the model than its batch's",
    remedy="give fit a list of callbacks, not a single one, and leave async_safe off",
    threads=[keras(20382)],
)
def hook_on_another_thread(
    fit: pd.Series, batches: pd.DataFrame, hooks: pd.DataFrame, values: pd.DataFrame
) -> Iterator[Finding]:
    """Hooks that a callback defines and that did not run on the thread of the fit."""
    elsewhere = hooks[(hooks["thread"] != fit["thread"]).to_numpy(bool)]
    if elsewhere.empty:
        return
    # ProgbarLogger is left out: it is written to run on any thread.
    known = {settings.callback: settings for settings in settings_of(hooks, values)}
    known.pop("ProgbarLogger", None)
    called = zip(elsewhere["callback"].astype(str), elsewhere["hook"].astype(str), strict=True)
    elsewhere = elsewhere[[callback in known and known[callback].has(hook) for callback, hook in called]]
    # Join each call with the beginning of the batch after its own.
    turn = ["stage", "epoch", "batch"]
    next_begins = batches.assign(batch=batches["batch"] - 1)[[*turn, "start_ns"]]
    elsewhere = elsewhere.merge(next_begins, "left", on=turn, suffixes=("", "_of_next"))
    remedy = None
    if version_of(fit) < (3, 7):
        remedy = f"upgrade to Keras 3.7 or later where it runs on TensorFlow, or {hook_on_another_thread.remedy}"
    for hook, calls in elsewhere.groupby("hook", observed=True):
        names = ", ".join(calls["callback"].unique())
        late = int((calls["start_ns"] > calls["start_ns_of_next"]).sum())
        how_late = f", {late:,} of them after the next batch had begun" if late else ""
        yield Finding(
            f"of {names} ran on {calls['thread'].iloc[0]}, not on {fit['thread']}: {len(calls):,} calls{how_late}",
            hook=hook,
            span=int(calls["span"].iloc[0]),
            remedy=remedy,
        )


@rule(
    "batch-index",
    effect="a callback that counts batches, and the progress bar, are behind by almost one execution",
    remedy="upgrade to Keras 3.11 or later, or count steps_per_execution for each call",
    threads=[keras(20861)],
)
def batch_index(process: pd.Series, batches: pd.DataFrame, hooks: pd.DataFrame) -> Iterator[Finding]:
    """With `steps_per_execution`: a batch's end that gets the number of its first step instead of its last."""
    if not is_whole(process):
        return
    train = batches[batches["stage"] == "train"]
    for epoch, turns in train.groupby("epoch"):
        jumps = turns["batch"].diff().dropna()
        # Only batches of several steps can show it, in an engine that does not report the last step of each.
        if len(jumps) == 0 or jumps.max() <= 1 or (turns["last_batch"] > turns["batch"]).any():
            continue
        ends = hooks[(hooks["hook"] == "on_train_batch_end") & (hooks["epoch"] == epoch)]
        numbers = ends["batch"].drop_duplicates().tolist()
        steps = int(jumps.iloc[0])
        if numbers[:2] == turns["batch"].tolist()[:2]:
            done = f"{steps - 1}, {2 * steps - 1}, ..."
            message = f"was given {numbers[0]}, {numbers[1]}, ... when {done} was the last batch done"
            yield Finding(message, epoch=int(epoch), batch=int(numbers[0]), hook="on_train_batch_end")
            return


_PROPER = parse("""
    (on_train_begin
    each epoch (
        on_epoch_begin
        (each batch (((on_train_batch_begin | on_batch_begin) (on_train_batch_end | on_batch_end)?)?))?
        (on_test_begin each batch ((on_test_batch_begin on_test_batch_end?)?)* on_test_end)?
        on_epoch_end
    )*
    on_train_end)?
""")
"""The order of hooks that every engine keeps in a fit.

The ends of batches are optional: they may run on another thread, or be skipped if no callback defines them.
"""


@rule(
    "hook-out-of-order",
    effect="a callback that counts on the order of hooks is in a state that it was not written for",
    remedy="find what calls the hook there: a callback, or a fit of your own",
)
def hook_out_of_order(
    fit: pd.Series, process: pd.Series, hooks: pd.DataFrame, spans: pd.DataFrame
) -> Iterator[Finding]:
    """Hooks of a fit that returned which were not called in the order of its loops."""
    if not is_whole(process) or fit["status"] != "ok" or not str(fit["method"]).startswith("fit"):
        return
    # A callback may pass hooks on to callbacks of its own in any order.
    own = hooks[~hooks["span"].isin(passed_on(hooks, spans)["span"])]
    if is_proper(own[(own["thread"] == fit["thread"]).to_numpy(bool)]):
        return
    calls = calls_of(own, str(fit["thread"]))
    mismatch = match(_PROPER, calls)
    if mismatch is not None:
        call = calls[min(mismatch.place, len(calls) - 1)]
        expected = " or ".join(mismatch.expected)
        which = "is the last" if mismatch.place == len(calls) else "is called"
        message = f"{which} where {expected} should come"
        yield Finding(message, call.epoch, call.batch, call.callback, call.hook, call.passing)


HOOKS = (slow_callback, hook_on_another_thread, hook_out_of_order, batch_index)
