"""Keras 2.0 to 2.3 on TensorFlow 1: `Model.fit` → `training_arrays.fit_loop` → `tensorflow_backend.Function._call`.

The reference is Keras 2.2. Keras 2.3 has the same loops, but calls `tf.keras.backend`. Before 2.2, the loops are
methods of the model, many names begin with an underscore, and the loops over generators are in `fit_generator`,
`evaluate_generator` and `predict_generator` themselves.
"""

from __future__ import annotations

from dataclasses import replace

from .engine_table import Assigns, CallbackLists, Calls, Engine, Function, Loop, Over, Phase, Tests
from .session_calls import Cached, SessionRun

_TRAINING = "keras.engine.training"
_ARRAYS = "keras.engine.training_arrays"
_GENERATOR = "keras.engine.training_generator"
_BACKEND = "keras.backend.tensorflow_backend"
_PHASES = {"train": "fit", "test": "evaluate", "predict": "predict"}
"""The phase of the method for each stage."""

_LOOPS = ("epoch", "batch")
_BATCHES = Loop(
    "batch", over="batches", number=("batch_index",), bounds=("batch_start", "batch_end"), order="index_array"
)
# Hooks have spans of their own, from `CallbackLists`. So the phases around them leave them out.
_HOOKS = Phase(None, Calls(
    "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end",
    "on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end", "_call_batch_hook", "_call_begin_hook",
    "_call_end_hook",
), optional=True)  # fmt: skip
_CALLBACKS = Phase("configure_callbacks", Assigns("history", "_callbacks"))
_FUNCTIONS = Phase(None, Calls("train_function", "test_function", "predict_function"))
_STANDARDIZING = Phase("prepare", Calls("_standardize_user_data", "_standardize_input_data"))
_LOGS = (
    Phase("logs", Calls("to_list"), inside=_LOOPS, optional=True),
    Phase("logs", Over("out_labels"), inside=_LOOPS, optional=True),
)


def _array_loops(module: str, prefix: str, is_old: bool) -> tuple[Function, ...]:
    """The loops over arrays for `fit`, `evaluate` and `predict`.

    - `module`: the module that defines them.
    - `prefix`: what their qualified names begin with.
    - `is_old`: whether they are those before Keras 2.2, which later versions lack.
    """
    slicing = (
        Phase("slice", Assigns("batch_ids"), inside=("batch",)),
        Phase("slice", Calls("slice_arrays", "_slice_arrays"), inside=("batch",), optional=True),
        # `if isinstance(ins[-1], float)`: the last input is not sliced if it is the learning-phase flag.
        Phase("slice", Tests("ins"), inside=("batch",), optional=True),
        Phase("to_dense", Over("indices_for_conversion_to_dense"), inside=("batch",), optional=is_old),
    )
    making = Phase("make_batches", Calls("make_batches", "_make_batches"))
    fit = Function(
        module,
        prefix + "fit_loop",
        phase="fit",
        before="prepare",
        turning=(_CALLBACKS,),
        after="stop",
        loops=(
            Loop("epoch", target="epoch", number=("epoch",)),
            _BATCHES,
            Loop("batch", target="step_index", number=("step_index",)),
        ),
        phases=(
            _HOOKS,
            Phase("shuffle", Tests("shuffle"), inside=("epoch",)),
            making,
            Phase("validation", Tests("do_validation"), inside=_LOOPS, taken=True),
            *slicing,
            Phase("function", Calls("f", "fit_function"), inside=_LOOPS, sampled="session"),
            *_LOGS,
        ),
        optional=is_old,
    )
    others = [
        Function(
            module,
            prefix + name,
            phase=_PHASES[stage],
            stage=stage,
            before="prepare",
            after="stop",
            loops=(_BATCHES, Loop("batch", target="step", over="steps", number=("step",))),
            phases=(_HOOKS, making, *slicing, Phase("function", Calls("f"), inside=("batch",))),
            optional=is_old,
        )
        for name, stage in (("test_loop", "test"), ("predict_loop", "predict"))
    ]
    return (fit, *others)


def _generator_loop(name: str, stage: str, function: str) -> Function:
    """A loop over a generator.

    - `name`: its name.
    - `stage`: the stage of its batches.
    - `function`: the method of the model that it calls for each batch.
    """
    batches = Loop("batch", over="steps_per_epoch" if stage == "train" else "steps", number=("steps_done",))
    epochs = Loop("epoch", over="epochs", number=("epoch",))
    in_epochs = (Phase("validation", Tests("do_validation"), inside=_LOOPS, taken=True), *_LOGS)
    return Function(
        _GENERATOR,
        name,
        phase=_PHASES[stage],
        stage=None if stage == "train" else stage,
        before="prepare",
        turning=(_CALLBACKS,) if stage == "train" else (),
        after="stop",
        loops=(epochs, batches) if stage == "train" else (batches,),
        phases=(
            _HOOKS,
            Phase("slice", Calls("next"), inside=("batch",)),
            Phase("function", Calls(function), inside=("batch",), sampled="session" if stage == "train" else None),
            *(in_epochs if stage == "train" else ()),
        ),
    )


_GENERATOR_LOOPS = (
    _generator_loop("fit_generator", "train", "train_on_batch"),
    _generator_loop("evaluate_generator", "test", "test_on_batch"),
    _generator_loop("predict_generator", "predict", "predict_on_batch"),
)


def _method(name: str, stage: str, *delegates: str) -> Function:
    """A method of the model, which prepares the data and calls one of the loops `delegates`."""
    return Function(
        _TRAINING,
        "Model." + name,
        phase=_PHASES[stage],
        stage=stage,
        root=True,
        before="prepare",
        phases=(Phase(None, Calls(*delegates)),),
    )


def _generator_method(loop: Function, stage: str) -> Function:
    """The method of the model that calls `loop`. Before Keras 2.2, the loop is in the method itself."""
    return replace(
        loop,
        module=_TRAINING,
        name="Model." + loop.name,
        stage=stage,
        root=True,
        loops=tuple(replace(inner, optional=True) for inner in loop.loops),
        phases=(
            Phase(None, Calls(loop.name), optional=True),
            *(replace(phase, optional=True) for phase in loop.phases),
        ),
    )


KERAS22 = Engine(
    name="keras-2.2",
    package="keras",
    home="keras.engine.training",
    checked=("2.0.9", "2.1.6", "2.2.4", "2.2.5", "2.3.1"),
    functions=(
        _method("fit", "train", "fit_loop", "_fit_loop", "fit_generator"),
        _method("evaluate", "test", "test_loop", "_test_loop", "evaluate_generator"),
        _method("predict", "predict", "predict_loop", "_predict_loop", "predict_generator"),
        *(_generator_method(loop, stage) for loop, stage in zip(_GENERATOR_LOOPS, _PHASES)),
        *(
            Function(_TRAINING, "Model." + name, phases=(_STANDARDIZING, _FUNCTIONS))
            for name in ("train_on_batch", "test_on_batch", "predict_on_batch")
        ),
        *_array_loops(_TRAINING, "Model._", is_old=True),
        *_array_loops(_ARRAYS, "", is_old=False),
        *_GENERATOR_LOOPS,
        Function(
            _BACKEND,
            "Function.__call__",
            phase="function",
            session=SessionRun("session_kwargs", optional=True),
            optional=True,
        ),
        Function(
            _BACKEND,
            "Function._call",
            phase="function",
            session=Cached("_callable_fn", "_make_callable", ("feed_arrays", "feed_symbols", "symbol_vals", "session")),
            optional=True,
            phases=(
                Phase("function", Over("inputs"), name="convert"),
                # The `if` calls `_make_callable`, which has a span of its own.
                Phase(None, Tests("_callable_fn")),
                # The call stands in an `if`, with and without `run_metadata`.
                Phase("function", Tests("run_metadata"), name="_callable_fn"),
            ),
        ),
        Function(
            _BACKEND, "Function._legacy_call", phase="function", session=SessionRun("session_kwargs"), optional=True
        ),
        Function(_BACKEND, "Function._make_callable", phase="function", optional=True),
        CallbackLists("keras.callbacks", "CallbackList", optional=True),
        CallbackLists("keras.callbacks.callbacks", "CallbackList"),
    ),
)
