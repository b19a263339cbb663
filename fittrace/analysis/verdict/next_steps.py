"""The next step for each bound: what to do about it, or what would settle it."""

from __future__ import annotations

from ...schema.safe_text import printable
from .bound import Bound
from .figures import FitFigures, HookTime

SELDOM = 50
"""One of so many batches is sampled, which a long fit does not feel."""
ENOUGH_SAMPLES = 5
"""So many batches of an epoch are sampled where it has fewer than `SELDOM` times as many."""

_OF_CALLBACKS = {
    "TensorBoard": "TensorBoard(update_freq='epoch', histogram_freq=0, profile_batch=0) writes less",
    "CSVLogger": "write to a local disk: it writes a line at each epoch's end",
    "ProgbarLogger": "verbose=2 prints a line for each epoch instead of a bar",
}
"""What helps with Keras' own callbacks."""


def next_step(bound: Bound, figures: FitFigures, hook: HookTime | None) -> str | None:
    """The next step for a fit.

    - `bound`: what it is bound by.
    - `figures`: its figures.
    - `hook`: the hook that took most of the time, if one did.
    """
    if bound is Bound.CALLBACKS:
        if hook is None:
            return "fittrace show lists the slowest hooks: do less in them, or do it less often"
        return _OF_CALLBACKS.get(hook.callback) or f"do less in {_name(hook)}, or do it less often"
    if bound is Bound.INPUT:
        return _faster_input(figures)
    if bound is Bound.COMPUTE:
        if any(batches.sampled for batches in figures.batches.values()):
            return "fewer or cheaper ops (fittrace show lists the slowest), larger batches, mixed precision"
        return f"fittrace run --run-metadata {_sampling(figures)} has TensorFlow tell which ops take the time"
    if bound is Bound.START and figures.method != "fit":
        call = f"call {printable(figures.method)} once on all data"
        return f"{call}, not often on little; model(x) is quicker on a few samples"
    return {
        Bound.INPUT_OR_COMPUTE: f"fittrace run --run-metadata {_sampling(figures)} samples batches, to tell which",
        Bound.CHECKPOINTS: "save less often, or the weights only (save_weights_only=True)",
        Bound.VALIDATION: "validate less often (validation_freq) or on fewer batches (validation_steps)",
        Bound.START: "fit for longer, and make and compile the model once: what it builds serves all further batches",
        Bound.RETRACING: "give the function batches of one shape and type, and no Python numbers that change",
        Bound.GAPS: "a smaller shuffle buffer, a cache, or fewer and longer epochs",
        Bound.HOST: "larger batches, or compile(steps_per_execution=...): the loop costs the same for each step",
        Bound.SHORT: "fit for more batches, or look at all fits of the run together",
    }.get(bound)


def _sampling(figures: FitFigures) -> str:
    """The choice of batches to sample: `every=50`, or as many as `ENOUGH_SAMPLES` need where the epochs are short."""
    in_epoch = figures.batches_of(figures.own_stage).count // max(figures.epochs, 1)
    return f"every={min(max(in_epoch // ENOUGH_SAMPLES, 1), SELDOM)}"


def _faster_input(figures: FitFigures) -> str:
    if figures.fetches_inside:
        return "end the dataset with .prefetch(tf.data.AUTOTUNE), and give its map num_parallel_calls"
    if figures.engine == "keras-3":
        return "a PyDataset with workers, or tf.data with prefetch, makes batches ahead"
    return "fit_generator or fit with workers, or tf.data with prefetch, makes batches ahead"


def _name(hook: HookTime) -> str:
    return f"{printable(hook.callback)}.{printable(hook.hook)}"
