"""Keras in TensorFlow's graph mode: `training_arrays.model_iteration` → `GraphExecutionFunction`.

Found in tf_keras after `tf.compat.v1.disable_v2_behavior()`, and as `tf.keras` in TensorFlow 1.15.
"""

from __future__ import annotations

from typing import Tuple, Union

from .model import Assigns, Cached, CallbackLists, Calls, Engine, Function, Loop, Over, Phase, Tests

Functions = Tuple[Union[Function, CallbackLists], ...]

_EPOCHS = Loop("epoch", target="epoch", number=("epoch",), guard="stop_training")
_HOOKS = Phase(
    None,
    Calls("on_epoch_begin", "on_epoch_end", "_call_begin_hook", "_call_end_hook", "_call_batch_hook"),
    optional=True,
)
_LOOPS = ("epoch", "batch")
_ROOTS = (
    ("fit", "fit", "train"), ("evaluate", "evaluate", "test"), ("predict", "predict", "predict"),
)  # fmt: skip


def _functions(training: str, arrays: str, backend: str, callbacks: str) -> Functions:
    return (
        *[
            Function(
                training,
                "Model." + name,
                phase=phase,
                stage=stage,
                root=True,
                before="prepare",
                phases=(Phase(None, Calls(name)),),
            )
            for name, phase, stage in _ROOTS
        ],
        *[
            Function(
                arrays,
                "ArrayLikeTrainingLoop." + name,
                phase=phase,
                stage=stage,
                before="prepare",
                phases=(Phase(None, Calls("fit_loop", "test_loop", "predict_loop")),),
                optional=True,
            )
            for name, phase, stage in _ROOTS
        ],
        Function(
            arrays,
            "model_iteration",
            phase="fit",
            before="prepare",
            turning=(Phase("configure_callbacks", Assigns("count_mode")),),
            after="stop",
            stage_in="mode",
            loops=(
                _EPOCHS,
                Loop("batch", over="target_steps", number=("step",)),
                Loop("batch", over="batches", number=("batch_index",), bounds=("batch_start", "batch_end")),
            ),
            phases=(
                _HOOKS,
                Phase("shuffle", Tests("shuffle"), inside=("epoch",)),
                Phase("make_batches", Calls("make_batches"), inside=("epoch",)),
                Phase("validation", Tests("do_validation"), inside=("epoch",)),
                Phase("slice", Assigns("batch_ids"), inside=("batch",)),
                Phase("slice", Tests("batches"), inside=("batch",)),
                Phase("to_dense", Tests("issparse"), inside=("batch",)),
                Phase("function", Calls("f"), inside=("batch",), sampled="session"),
                Phase("logs", Calls("aggregate", "make_logs"), inside=_LOOPS),
            ),
        ),
        Function(
            backend,
            "GraphExecutionFunction.__call__",
            phase="function",
            cached=Cached("_callable_fn", "_make_callable", ("feed_arrays", "feed_symbols", "symbol_vals", "session")),
            phases=(
                Phase("function", Over("inputs"), name="convert"),
                Phase(None, Tests("_callable_fn")),
                Phase("function", Calls("_callable_fn")),
            ),
        ),
        Function(backend, "GraphExecutionFunction._make_callable", phase="function"),
        CallbackLists(callbacks, "CallbackList", phases=(Phase("logs", Calls("_process_logs"), optional=True),)),
    )


TF_KERAS_V1 = Engine(
    name="tf-keras-v1",
    package="tf_keras",
    home="tf_keras.src.engine.training_v1",
    checked=("2.21.0",),
    functions=_functions(
        "tf_keras.src.engine.training_v1",
        "tf_keras.src.engine.training_arrays_v1",
        "tf_keras.src.backend",
        "tf_keras.src.callbacks",
    ),
)

TF_1 = Engine(
    name="tf-keras-v1",
    package="tensorflow",
    home="tensorflow.python.keras.engine.training_arrays",
    checked=("1.15.5",),
    functions=_functions(
        "tensorflow.python.keras.engine.training",
        "tensorflow.python.keras.engine.training_arrays",
        "tensorflow.python.keras.backend",
        "tensorflow.python.keras.callbacks",
    ),
)
