"""Keras 2.2 on TensorFlow 1: `Model.fit` → `training_arrays.fit_loop` → `tensorflow_backend.Function._call`.

The reference engine. Keras 2.3 has the same loops over `tf.keras.backend`.
"""

from __future__ import annotations

from .model import Assigns, Cached, CallbackLists, Calls, Engine, Function, Loop, Over, Phase, Tests

_TRAINING = "keras.engine.training"
_ARRAYS = "keras.engine.training_arrays"
_GENERATOR = "keras.engine.training_generator"
_BACKEND = "keras.backend.tensorflow_backend"

_EPOCHS = Loop("epoch", target="epoch", number=("epoch",))
_BATCHES = Loop("batch", over="batches", number=("batch_index",), bounds=("batch_start", "batch_end"))
_LOOPS = ("epoch", "batch")

_HOOKS = Phase(None, Calls(
    "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end",
    "on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end", "_call_batch_hook", "_call_begin_hook",
    "_call_end_hook",
), optional=True)  # fmt: skip
_CALLBACKS = Phase("configure_callbacks", Assigns("history", "_callbacks"))
_IN_A_BATCH = (
    Phase("slice", Assigns("batch_ids"), inside=("batch",)),
    Phase("slice", Calls("slice_arrays"), inside=("batch",)),
    Phase("slice", Tests("ins"), inside=("batch",), optional=True),
    Phase("to_dense", Over("indices_for_conversion_to_dense"), inside=("batch",)),
    Phase("function", Calls("f", "fit_function"), inside=_LOOPS, sampled="session"),
    Phase("logs", Calls("to_list"), inside=_LOOPS, optional=True),
    Phase("logs", Over("out_labels"), inside=_LOOPS, optional=True),
)


def _root(name: str, stage: str, *delegates: str) -> Function:
    return Function(
        _TRAINING,
        "Model." + name,
        phase={"train": "fit", "test": "evaluate"}.get(stage, stage),
        stage=stage,
        root=True,
        before="prepare",
        phases=(Phase(None, Calls(*delegates)),),
    )


KERAS22 = Engine(
    name="keras-2.2",
    package="keras",
    home="keras.engine.training",
    checked=("2.2.4", "2.2.5", "2.3.1"),
    functions=(
        _root("fit", "train", "fit_loop", "fit_generator"),
        _root("evaluate", "test", "test_loop", "evaluate_generator"),
        _root("predict", "predict", "predict_loop", "predict_generator"),
        _root("fit_generator", "train", "fit_generator"),
        _root("evaluate_generator", "test", "evaluate_generator"),
        _root("predict_generator", "predict", "predict_generator"),
        Function(
            _ARRAYS,
            "fit_loop",
            phase="fit",
            before="prepare",
            turning=(_CALLBACKS,),
            after="stop",
            loops=(
                _EPOCHS,
                _BATCHES,
                Loop("batch", target="step_index", number=("step_index",)),
            ),
            phases=(
                _HOOKS,
                Phase("shuffle", Tests("shuffle"), inside=("epoch",)),
                Phase("make_batches", Calls("make_batches"), inside=("epoch",)),
                Phase("validation", Tests("do_validation"), inside=_LOOPS),
                *_IN_A_BATCH,
            ),
        ),
        *[
            Function(
                _ARRAYS,
                name,
                phase=phase,
                stage=stage,
                before="prepare",
                after="stop",
                loops=(_BATCHES, Loop("batch", target="step", over="steps", number=("step",))),
                phases=(
                    _HOOKS,
                    Phase("slice", Assigns("batch_ids"), inside=("batch",)),
                    Phase("slice", Tests("ins"), inside=("batch",)),
                    Phase("to_dense", Over("indices_for_conversion_to_dense"), inside=("batch",)),
                    Phase("function", Calls("f"), inside=("batch",)),
                    Phase("make_batches", Calls("make_batches"), optional=True),
                ),
            )
            for name, phase, stage in (("test_loop", "evaluate", "test"), ("predict_loop", "predict", "predict"))
        ],
        Function(
            _GENERATOR,
            "fit_generator",
            phase="fit",
            before="prepare",
            turning=(_CALLBACKS,),
            after="stop",
            loops=(
                Loop("epoch", over="epochs", number=("epoch",)),
                Loop("batch", over="steps_per_epoch", number=("steps_done",)),
            ),
            phases=(
                _HOOKS,
                Phase("slice", Calls("next"), inside=("batch",)),
                Phase("function", Calls("train_on_batch"), inside=("batch",), sampled="session"),
                Phase("validation", Tests("do_validation"), inside=_LOOPS),
                Phase("logs", Calls("to_list"), inside=("batch",), optional=True),
                Phase("logs", Over("out_labels"), inside=("batch",), optional=True),
            ),
        ),
        *[
            Function(
                _GENERATOR,
                name,
                phase=phase,
                stage=stage,
                before="prepare",
                after="stop",
                loops=(Loop("batch", over="steps", number=("steps_done",)),),
                phases=(
                    _HOOKS,
                    Phase("slice", Calls("next"), inside=("batch",)),
                    Phase("function", Calls(function), inside=("batch",)),
                ),
            )
            for name, phase, stage, function in (
                ("evaluate_generator", "evaluate", "test", "test_on_batch"),
                ("predict_generator", "predict", "predict", "predict_on_batch"),
            )
        ],
        Function(_BACKEND, "Function.__call__", phase="function", optional=True),
        Function(
            _BACKEND,
            "Function._call",
            phase="function",
            cached=Cached("_callable_fn", "_make_callable", ("feed_arrays", "feed_symbols", "symbol_vals", "session")),
            optional=True,
            phases=(
                Phase("function", Over("inputs"), name="convert"),
                Phase(None, Tests("_callable_fn")),
                Phase("function", Tests("run_metadata"), name="_callable_fn"),
            ),
        ),
        Function(_BACKEND, "Function._legacy_call", phase="function", optional=True),
        Function(_BACKEND, "Function._make_callable", phase="function", optional=True),
        CallbackLists("keras.callbacks", "CallbackList", optional=True),
        CallbackLists("keras.callbacks.callbacks", "CallbackList"),
    ),
)
