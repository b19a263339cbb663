"""tf_keras: Keras 2 on TensorFlow 2, eager or with `tf.function`."""

from __future__ import annotations

from .engine_table import Assigns, CallbackLists, Calls, Engine, Function, Loop, Phase, Tests
from .keras3 import TRACING

_TRAINING = "tf_keras.src.engine.training"

_BATCHES = Loop(
    "batch",
    over="steps",
    number=("step",),
    header="slice",
    sizes=("_adapter._batch_size", "_adapter._partial_batch_size", "_adapter._size", "_steps_per_epoch"),
)
# Hooks have spans of their own, from `CallbackLists`. So the phases around them leave them out.
_HOOKS = Phase(None, Calls(*("on_%s_%s" % (what, when) for what in ("train", "test", "predict", "epoch",
    "train_batch", "test_batch", "predict_batch") for when in ("begin", "end"))), optional=True)  # fmt: skip
_CONFIGURE = Phase("configure_callbacks", Calls("CallbackList"))
_LOGS = Phase(
    "logs", Calls("sync_to_numpy_or_python_type", "_validate_and_get_metrics_result"), inside=("epoch", "batch")
)


def _root(name: str, phase: str, stage: str, *phases: Phase) -> Function:
    """A method of the model that begins a fit.

    - `name`: the name of the method.
    - `phase`: the phase of its call.
    - `stage`: the stage of its batches.
    - `phases`: the phases in it besides hooks and the making of callbacks.
    """
    return Function(
        _TRAINING,
        "Model." + name,
        phase=phase,
        stage=stage,
        root=True,
        before="prepare",
        after="stop",
        loops=(Loop("epoch", over="enumerate_epochs", number=("epoch",)), _BATCHES)
        if stage == "train"
        else (_BATCHES,),
        phases=(_HOOKS, _CONFIGURE, *phases),
    )


TF_KERAS = Engine(
    name="tf-keras",
    package="tf_keras",
    home=_TRAINING,
    checked=("2.16.0", "2.18.0", "2.20.1", "2.21.0"),
    functions=(
        _root(
            "fit",
            "fit",
            "train",
            Phase("function", Calls("train_function"), inside=("batch",), sampled="profiler"),
            # `if data_handler.should_sync: context.async_wait()`: waiting for ops that run asynchronously.
            Phase("function", Tests("should_sync"), inside=("batch",), name="async_wait"),
            Phase("validation", Tests("validation_data"), inside=("epoch",), taken=True),
            _LOGS,
        ),
        _root(
            "evaluate",
            "evaluate",
            "test",
            Phase("function", Calls("test_function_runner", "test_function", "run_step"), inside=("batch",)),
            Phase("logs", Calls("sync_to_numpy_or_python_type"), optional=True),
        ),
        _root("predict", "predict", "predict", Phase("function", Calls("predict_function"), inside=("batch",))),
        Function(
            "tf_keras.src.engine.data_adapter",
            "DataHandler.enumerate_epochs",
            phases=(Phase("make_batches", Assigns("data_iterator")),),
        ),
        TRACING,
        CallbackLists(
            "tf_keras.src.callbacks", "CallbackList", phases=(Phase("logs", Calls("_process_logs"), optional=True),)
        ),
    ),
)
