"""`fittrace.drive`: passes the recorded hooks of a fit on to other callbacks, without training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...schema.errors import FittraceError
from ...schema.hook_names import HOOKS
from ...schema.safe_text import printable
from ...tables import TraceTables
from .outcome import Driven, Stop, history, inputs_absent, inputs_recorded, moment
from .recorded_hooks import TRAIN_BATCH_END, RecordedFit, RecordedHook, read_fit
from .stand_ins import AbsentInput, StandIn

_RESETS_STOP_AFTER_TRAIN_BEGIN = frozenset({"keras-2.2"})
"""Engines that set `stop_training` to false after `on_train_begin`. The others do so before it."""

_CHECKS_STOP_AFTER_TRAIN_BEGIN = frozenset({"tf-keras-v1"})
"""Engines that check `stop_training` also after `on_train_begin`. All check it after each batch and each epoch."""

_BATCH_HOOKS = {
    f"on_{train}batch_{when}": (f"on_train_batch_{when}", f"on_batch_{when}")
    for train in ("train_", "")
    for when in ("begin", "end")
}
"""By the recorded name of a training batch's hook: the methods of a callback that may take it.

Callbacks of Keras 2.2 have only the second. In later versions, the first calls the second.
"""


class CallbackFailed(FittraceError):
    """A driven callback raised an exception. That exception is the `__cause__`.

    - `callback`: the name of its class.
    - `hook`, `epoch`, `batch`: where it raised.
    - `driven`: the outcome until then.
    """

    def __init__(self, callback: str, method: str, hook: RecordedHook, error: Exception, driven: Driven) -> None:
        reason = str(error) if isinstance(error, AbsentInput) else f"{type(error).__name__}: {error}"
        super().__init__(printable(f"{callback}.{method} failed at {moment(hook.epoch, hook.batch)}: {reason}"))
        self.callback = callback
        self.hook = method
        self.epoch = hook.epoch
        self.batch = hook.batch
        self.driven = driven


def drive(
    trace: TraceTables,
    callbacks: Sequence[Any],
    model: Any = None,
    fit: int = 0,
    process: int | None = None,
    run: str | None = None,
) -> Driven:
    """Pass the recorded hooks of a fit on to other callbacks, with the recorded logs, without training.

    - `callbacks`: objects of any Keras, or of any class with hooks. A callback without a hook is not given it.
    - `model`: what the callbacks get as their model. The default is a stand-in that has `stop_training` and what
      callbacks set on it. All else raises `AbsentInput` when a callback uses it.
    - `fit`: the number of the fit.
    - `process`, `run`: are needed only if several processes, or several runs in a folder, have a fit of that number.

    The callbacks get what they would get at the end of the run's own list of callbacks: the logs as the recorded
    callbacks left them, and as the driven callbacks before them changed them. First come `set_model` and `set_params`,
    then all hooks from `on_train_begin` on, also those of validation if the engine has such. Numbers in logs are
    floats.

    If a callback sets `stop_training`, the fit ends where the engine would have ended it, with `on_train_end`. If that
    is in the middle of an epoch, its validation and `on_epoch_end` are left out, because the run did them later.

    A trace does not hold the weights, the optimizer and the tensors.

    Raises `CallbackFailed` if a callback raises, and `FittraceError` if there is no such fit.

    >>> import fittrace
    >>> class Patience:
    ...     def set_model(self, model):
    ...         self.model = model
    ...     def on_epoch_end(self, epoch, logs):
    ...         self.model.stop_training = logs["val_loss"] < 0.3
    >>> fittrace.drive(fittrace.open("traces/reference-keras-3"), [Patience()]).stop.last_epoch  # doctest: +SKIP
    1
    """
    if isinstance(callbacks, str) or not hasattr(callbacks, "__iter__"):
        raise FittraceError(f"drive: callbacks is a {type(callbacks).__name__}; give a list of callbacks")
    for callback in callbacks:
        if isinstance(callback, type):
            raise FittraceError(f"drive: {callback.__name__} is a class; give an object, {callback.__name__}()")
    found = read_fit(trace, fit, process, run)
    # A trace may come from a stranger. Without this check it could call any method of a callback.
    for hook in found.hooks:
        if hook.name not in HOOKS:
            raise FittraceError(
                f"{printable(trace.path)}: {printable(hook.name)} is not a hook of Keras, so no callback was driven;"
                " drive a trace that fittrace recorded"
            )
    return _Drive(found, list(callbacks), model).run()


class _Drive:
    """One call of `drive`."""

    def __init__(self, fit: RecordedFit, callbacks: list[Any], model: Any) -> None:
        self._fit = fit
        self._callbacks = callbacks
        self._has_model = model is not None
        self._model = model if self._has_model else StandIn()
        self._setter: tuple[Any, RecordedHook] | None = None
        "The callback that set `stop_training`, and the hook in which it did."
        self._passed = 0
        "How many hooks were passed on."
        self._stop: Stop | None = None
        self._epochs: dict[int | None, dict[str, Any]] = {}

    def run(self) -> Driven:
        """Pass on all hooks, or those up to the stop."""
        engine, trains = self._fit.facts["engine"], self._fit.facts["method"].startswith("fit")
        for name, argument in (("set_model", self._model), ("set_params", dict(self._fit.params))):
            self._pass(RecordedHook(name, None, None, None, {}), argument)
        if trains:
            self._model.stop_training, self._setter = False, None
        for hook in self._fit.hooks:
            self._passed += 1
            *_, logs = arguments = hook.arguments
            self._pass(hook, *arguments)
            if hook.name == "on_epoch_end":
                self._epochs[hook.epoch] = logs
            if not trains:
                continue
            begins = hook.name == "on_train_begin"
            if begins and engine in _RESETS_STOP_AFTER_TRAIN_BEGIN:
                self._model.stop_training, self._setter = False, None
            checks = hook.name in TRAIN_BATCH_END or hook.name == "on_epoch_end"
            if self._setter and (checks or (begins and engine in _CHECKS_STOP_AFTER_TRAIN_BEGIN)):
                self._end(hook)
                break
        return self._driven()

    def _pass(self, hook: RecordedHook, *arguments: Any) -> None:
        """Call a hook of each callback that has it."""
        for callback in self._callbacks:
            names = _BATCH_HOOKS.get(hook.name, (hook.name,))
            name = next((name for name in names if hasattr(callback, name)), None)
            if name is None:
                continue
            try:
                getattr(callback, name)(*arguments)
            except Exception as error:
                raise CallbackFailed(type(callback).__name__, name, hook, error, self._driven()) from error
            if not getattr(self._model, "stop_training", False):
                self._setter = None
            elif self._setter is None:
                self._setter = (callback, hook)

    def _end(self, hook: RecordedHook) -> None:
        """End the fit after `hook`, as the engine does when it finds `stop_training`."""
        assert self._setter is not None
        callback, setting = self._setter
        name = type(callback).__name__
        self._stop = Stop(name, setting.name, setting.epoch, setting.batch, hook.epoch, hook.batch)
        end = next((hook for hook in reversed(self._fit.hooks) if hook.name == "on_train_end"), None)
        # Engines that give logs to `on_train_end` give those of the last epoch.
        epoch_logs = hook.logs if hook.name == "on_epoch_end" else {}
        logs = {key: epoch_logs[key] for key in (end.logs if end else {}) if key in epoch_logs}
        self._passed += 1
        self._pass(RecordedHook("on_train_end", None, None, None, {}), logs)

    def _driven(self) -> Driven:
        facts = self._fit.facts
        error = f" ({facts['error']})" if isinstance(facts["error"], str) else ""
        last = moment(self._fit.epochs[-1] if self._fit.epochs else None, None)
        return Driven(
            fit=int(facts["fit"]),
            engine=f"{facts['engine']} {facts['engine_version']}".rstrip(),
            callbacks=tuple(type(callback).__name__ for callback in self._callbacks),
            hooks=self._passed,
            stop=self._stop,
            end=f"{facts['status']} in {last}{error}",
            history=history(self._epochs),
            recorded=inputs_recorded(self._fit),
            absent=inputs_absent(self._fit, self._has_model),
        )
