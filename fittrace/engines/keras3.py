"""Keras 3: the trainers (`keras.src.backend.<backend>.trainer`), `CallbackList` and the epoch iterators."""

from __future__ import annotations

from .engine_table import CallbackLists, Calls, Engine, Function, Loop, Phase, Tests

_BATCHES = Loop(
    "batch",
    over="epoch_iterator",
    # Keras 3.11 and later have `begin_step` and `end_step`; older versions have only `step`.
    number=("begin_step", "step"),
    last="end_step",
    header="slice",
    sizes=(
        "data_adapter._batch_size",
        "data_adapter._partial_batch_size",
        "data_adapter._size",
        "steps_per_epoch",
    ),
    steps="steps_per_execution",
)

# Hooks have spans of their own, from `CallbackLists`. So the phases around them leave them out.
_HOOKS = Phase(None, Calls(*("on_%s_%s" % (what, when) for what in ("train", "test", "predict", "epoch",
    "train_batch", "test_batch", "predict_batch") for when in ("begin", "end"))), optional=True)  # fmt: skip

_CONFIGURE = Phase("configure_callbacks", Calls("CallbackList"))

_LOGS = Phase("logs", Calls("_get_metrics_result_or_logs", "_pythonify_logs", "pythonify_logs"), optional=True)

TRACING = Function(
    "tensorflow.python.eager.polymorphic_function.tracing_compilation",
    "_create_concrete_function",
    traces=True,
    optional=True,
)
"""The function of TensorFlow that traces every `tf.function`."""


def _trainer(module: str, name: str, sampled: str | None = None) -> tuple[Function, ...]:
    """The methods of a backend's trainer.

    - `module`: the module that defines the trainer.
    - `name`: the name of its class.
    - `sampled`: how ops of training batches are sampled, as in `Phase`.
    """
    return (
        Function(
            module,
            name + ".fit",
            phase="fit",
            stage="train",
            root=True,
            before="prepare",
            after="stop",
            loops=(Loop("epoch", target="epoch", number=("epoch",)), _BATCHES),
            phases=(
                _HOOKS,
                _CONFIGURE,
                Phase("function", Calls("train_function"), sampled=sampled),
                Phase("validation", Tests("validation_data"), inside=("epoch",), taken=True),
                _LOGS,
            ),
        ),
        Function(
            module,
            name + ".evaluate",
            phase="evaluate",
            stage="test",
            root=True,
            before="prepare",
            after="stop",
            loops=(_BATCHES,),
            phases=(_HOOKS, _CONFIGURE, Phase("function", Calls("test_function")), _LOGS),
        ),
        Function(
            module,
            name + ".predict",
            phase="predict",
            stage="predict",
            root=True,
            before="prepare",
            after="stop",
            loops=(_BATCHES,),
            phases=(
                _HOOKS,
                _CONFIGURE,
                Phase("slice", Calls("get_data"), optional=True),
                Phase("function", Calls("predict_function")),
            ),
        ),
    )


def _iterator(module: str, name: str) -> Function:
    """A method of an epoch iterator, which makes the iterator over the batches."""
    return Function(module, name, phases=(Phase("make_batches", Calls("iter"), optional=True),), optional=True)


def _dispatch(name: str) -> Function:
    """A method of `CallbackList` that runs hooks on other threads, or waits for these."""
    return Function("keras.src.callbacks.callback_list", "CallbackList." + name, phase="hooks", optional=True)


KERAS3 = Engine(
    name="keras-3",
    package="keras",
    home="keras.src.callbacks.callback_list",
    checked=("3.3.3", "3.6.0", "3.10.0", "3.13.2", "3.15.1"),
    functions=(
        *_trainer("keras.src.backend.tensorflow.trainer", "TensorFlowTrainer", sampled="profiler"),
        *_trainer("keras.src.backend.jax.trainer", "JAXTrainer"),
        *_trainer("keras.src.backend.torch.trainer", "TorchTrainer"),
        TRACING,
        _iterator("keras.src.backend.tensorflow.trainer", "TFEpochIterator.enumerate_epoch"),
        _iterator("keras.src.trainers.epoch_iterator", "EpochIterator._enumerate_iterator"),
        _iterator("keras.src.trainers.epoch_iterator", "EpochIterator.enumerate_epoch"),
        CallbackLists(
            "keras.src.callbacks.callback_list",
            "CallbackList",
            phases=(Phase("logs", Calls("_pythonify_logs", "pythonify_logs"), optional=True),),
        ),
        _dispatch("_async_dispatch"),
        _dispatch("_flush_futures"),
        _dispatch("_clear_futures"),
    ),
)
