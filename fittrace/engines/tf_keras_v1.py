"""Keras in TensorFlow's graph mode: `training_arrays.model_iteration` → `GraphExecutionFunction`.

It is tf_keras after `tf.compat.v1.disable_v2_behavior()`, and the `tf.keras` of TensorFlow 1.15.
"""

from __future__ import annotations

from typing import Tuple, Union

from .engine_table import Assigns, CallbackLists, Calls, Engine, Function, Loop, Over, Phase, Tests
from .session_calls import Cached

Functions = Tuple[Union[Function, CallbackLists], ...]

# The loop leaves at the beginning of a turn, so the epoch after a stop is no epoch.
_EPOCHS = Loop("epoch", target="epoch", number=("epoch",), guard="stop_training")
# Hooks have spans of their own, from `CallbackLists`. So the phases around them leave them out.
_HOOKS = Phase(
    None,
    Calls("on_epoch_begin", "on_epoch_end", "_call_begin_hook", "_call_end_hook", "_call_batch_hook"),
    optional=True,
)
_LOOPS = ("epoch", "batch")
_ROOTS = (
    ("fit", "fit", "train"), ("evaluate", "evaluate", "test"), ("predict", "predict", "predict"),
)  # fmt: skip
"""Methods of the model and of the training loops: name, phase and stage."""


# This assignment is the first statement that makes the callback list.
_CONFIGURE = Phase("configure_callbacks", Assigns("count_mode"))
_FUNCTIONS = Phase(None, Calls("train_function", "test_function", "predict_function"))
_STANDARDIZING = Phase("prepare", Calls("_standardize_user_data"))
_LOGS = Phase("logs", Calls("aggregate", "make_logs"), inside=_LOOPS)
_VALIDATION = Phase("validation", Tests("do_validation"), inside=("epoch",), taken=True)


def _functions(training: str, arrays: str, generator: str, backend: str, callbacks: str) -> Functions:
    """The functions of the engine.

    - `training`: the module of the model's `fit`.
    - `arrays`: the module of the loop over arrays.
    - `generator`: the module of the loop over generators.
    - `backend`: the module of `GraphExecutionFunction`.
    - `callbacks`: the module of `CallbackList`.
    """
    return (
        *_methods(training, arrays, generator),
        _array_loop(arrays),
        _generator_loop(generator),
        *_session_functions(backend),
        CallbackLists(callbacks, "CallbackList", phases=(Phase("logs", Calls("_process_logs"), optional=True),)),
    )


def _methods(training: str, arrays: str, generator: str) -> Functions:
    """The methods of the model and of the classes between it and the loops. They prepare data and delegate."""
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
            Function(training, "Model." + name, phases=(_STANDARDIZING, _FUNCTIONS))
            for name in ("train_on_batch", "test_on_batch", "predict_on_batch")
        ],
        *[
            Function(
                module,
                "%s.%s" % (loop, name),
                phase=phase,
                stage=stage,
                before="prepare",
                phases=(Phase(None, Calls(name + "_loop", name + "_generator", stage + "_loop")),),
            )
            for module, loop in (
                (arrays, "ArrayLikeTrainingLoop"),
                (generator, "GeneratorOrSequenceTrainingLoop"),
                (generator, "GeneratorLikeTrainingLoop"),
            )
            for name, phase, stage in _ROOTS
        ],
    )


def _array_loop(module: str) -> Function:
    return Function(
        module,
        "model_iteration",
        phase="fit",
        before="prepare",
        turning=(_CONFIGURE,),
        after="stop",
        stage_in="mode",
        loops=(
            _EPOCHS,
            Loop("batch", over="target_steps", number=("step",)),
            # With a single batch, the engine passes its inputs whole: `if len(batches) == 1: ins_batch = ins`.
            Loop(
                "batch",
                over="batches",
                number=("batch_index",),
                bounds=("batch_start", "batch_end"),
                order="index_array",
                alone_is_whole=True,
            ),
        ),
        phases=(
            _HOOKS,
            Phase("shuffle", Tests("shuffle"), inside=("epoch",)),
            Phase("make_batches", Calls("make_batches"), inside=("epoch",)),
            _VALIDATION,
            Phase("slice", Assigns("batch_ids"), inside=("batch",)),
            Phase("slice", Tests("batches"), inside=("batch",)),
            Phase("to_dense", Tests("issparse"), inside=("batch",)),
            Phase("function", Calls("f"), inside=("batch",), sampled="session"),
            _LOGS,
        ),
    )


def _generator_loop(module: str) -> Function:
    return Function(
        module,
        "model_iteration",
        phase="fit",
        before="prepare",
        turning=(_CONFIGURE,),
        after="stop",
        stage_in="mode",
        loops=(
            _EPOCHS,
            # `if batch_data is None: break` follows the fetch: the data ran out, and there is no batch.
            Loop("batch", over="target_steps", number=("step",), header="slice", guard="batch_data"),
        ),
        phases=(
            _HOOKS,
            _VALIDATION,
            Phase("function", Calls("batch_function"), inside=("batch",), sampled="session"),
            _LOGS,
        ),
    )


def _session_functions(backend: str) -> Functions:
    """The functions that call the session."""
    return (
        Function(
            backend,
            "GraphExecutionFunction.__call__",
            phase="function",
            session=Cached("_callable_fn", "_make_callable", ("feed_arrays", "feed_symbols", "symbol_vals", "session")),
            phases=(
                Phase("function", Over("inputs"), name="convert"),
                # The `if` calls `_make_callable`, which has a span of its own.
                Phase(None, Tests("_callable_fn")),
                Phase("function", Calls("_callable_fn")),
            ),
        ),
        Function(backend, "GraphExecutionFunction._make_callable", phase="function"),
    )


TF_KERAS_V1 = Engine(
    name="tf-keras-v1",
    package="tf_keras",
    home="tf_keras.src.engine.training_v1",
    checked=("2.16.0", "2.18.0", "2.20.1", "2.21.0"),
    functions=_functions(
        "tf_keras.src.engine.training_v1",
        "tf_keras.src.engine.training_arrays_v1",
        "tf_keras.src.engine.training_generator_v1",
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
        "tensorflow.python.keras.engine.training_generator",
        "tensorflow.python.keras.backend",
        "tensorflow.python.keras.callbacks",
    ),
)
