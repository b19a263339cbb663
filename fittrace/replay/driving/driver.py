"""Drives callbacks through the hooks of a recorded fit, without training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...schema.errors import FittraceError
from ...schema.hook_names import HOOKS
from ...schema.safe_text import printable
from ...tables import TraceTables
from .outcome import Driven, Stop, history, inputs_absent, inputs_recorded, place
from .recorded_hooks import TRAIN_BATCH_END, RecordedFit, RecordedHook, recorded
from .stand_ins import AbsentInput, StandIn

_FORGET_A_STOP_BEFORE_THE_FIRST_EPOCH = frozenset({"keras-2.2"})
"""Engines that set `stop_training` to false after `on_train_begin`; the others do before it."""

_LOOK_BEFORE_THE_FIRST_EPOCH = frozenset({"tf-keras-v1"})
"""Engines that look at `stop_training` also before an epoch; the others only after a batch and after an epoch."""

_BATCH_HOOKS = {
    f"on_{train}batch_{when}": (f"on_train_batch_{when}", f"on_batch_{when}")
    for train in ("train_", "")
    for when in ("begin", "end")
}
"""The methods that take a training batch's hook, by its recorded name: Keras 2.2 has the second alone, and in later
versions the first calls it."""


class CallbackFailed(FittraceError):
    """A driven callback raised; its own error, with its traceback, is the `__cause__`.

    `callback` (its class name), `hook`, `epoch` and `batch` say where, and `driven` what had come of it until then.
    """

    def __init__(self, callback: str, method: str, hook: RecordedHook, error: Exception, driven: Driven) -> None:
        told = str(error) if isinstance(error, AbsentInput) else f"{type(error).__name__}: {error}"
        super().__init__(printable(f"{callback}.{method} failed at {place(hook.epoch, hook.batch)}: {told}"))
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
    """Pass the recorded hooks of fit number `fit` on to other `callbacks`, with the recorded logs, without training.

    The callbacks are objects of any Keras, or of any class with hooks; one that lacks a hook is not given it. They are
    driven as if they had stood last in the run's own list of callbacks: logs reach them as the recorded callbacks left
    them, and from one to the next as they change them. First come `set_model` and `set_params`, then `on_train_begin`
    and all that followed; the hooks of validation are among them where the engine has such. Numbers in logs are floats.

    `stop_training` is honoured: the fit ends where the engine would have ended it, with `on_train_end`; what lies
    between (the validation and `on_epoch_end` of an epoch that is left early) was not recorded and is left out.

    Absent are the weights, the optimizer and all tensors. Without a `model`, a stand-in has `stop_training` and what
    callbacks set on it; what it cannot give raises `AbsentInput` when it is used. A `model` that is given is used as
    it is, of whatever class.

    `process`, and `run` in a folder of runs, are needed where several have a fit of that number.

    Raises `CallbackFailed` where a callback raises, and `FittraceError` where there is no such fit.

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
    found = recorded(trace, fit, process, run)
    # A trace may come from a stranger, who could name any method of a callback.
    for hook in found.hooks:
        if hook.name not in HOOKS:
            raise FittraceError(
                f"{printable(trace.path)}: {printable(hook.name)} is no hook of Keras, so no callback was driven;"
                " drive a trace that fittrace recorded"
            )
    return _Drive(found, list(callbacks), model).run()


class _Drive:
    """One drive under way."""

    def __init__(self, fit: RecordedFit, callbacks: list[Any], model: Any) -> None:
        self._fit = fit
        self._callbacks = callbacks
        self._given = model is not None
        self._model = model if self._given else StandIn()
        self._setter: tuple[Any, RecordedHook] | None = None
        self._passed = 0
        self._stop: Stop | None = None
        self._epochs: dict[int | None, dict[str, Any]] = {}

    def run(self) -> Driven:
        """Pass on all hooks, up to the end."""
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
            if begins and engine in _FORGET_A_STOP_BEFORE_THE_FIRST_EPOCH:
                self._model.stop_training, self._setter = False, None
            looks = hook.name in TRAIN_BATCH_END or hook.name == "on_epoch_end"
            if self._setter and (looks or (begins and engine in _LOOK_BEFORE_THE_FIRST_EPOCH)):
                self._end(hook)
                break
        return self._driven()

    def _pass(self, hook: RecordedHook, *arguments: Any) -> None:
        """Give one hook to each callback that has it."""
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
        callback, where = self._setter
        self._stop = Stop(type(callback).__name__, where.name, where.epoch, where.batch, hook.epoch, hook.batch)
        end = next((hook for hook in reversed(self._fit.hooks) if hook.name == "on_train_end"), None)
        # Engines that give logs to `on_train_end` give those of the last epoch.
        of_epoch = hook.logs if hook.name == "on_epoch_end" else {}
        logs = {key: of_epoch[key] for key in (end.logs if end else {}) if key in of_epoch}
        self._passed += 1
        self._pass(RecordedHook("on_train_end", None, None, None, {}), logs)

    def _driven(self) -> Driven:
        facts = self._fit.facts
        error = f" ({facts['error']})" if isinstance(facts["error"], str) else ""
        last = place(self._fit.epochs[-1] if self._fit.epochs else None, None)
        return Driven(
            fit=int(facts["fit"]),
            engine=f"{facts['engine']} {facts['engine_version']}".rstrip(),
            callbacks=tuple(type(callback).__name__ for callback in self._callbacks),
            hooks=self._passed,
            stop=self._stop,
            end=f"{facts['status']} in {last}{error}",
            history=history(self._epochs),
            recorded=inputs_recorded(self._fit),
            absent=inputs_absent(self._fit, self._given),
        )
