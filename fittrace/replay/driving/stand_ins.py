"""Stand-ins for what a trace does not hold: the model, and values of logs that are not numbers.

Each raises `AbsentInput` when a callback uses it. Nothing is invented.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ...schema.errors import FittraceError


class AbsentInput(FittraceError):
    """A driven callback used something that a trace does not hold."""


class _AbsentAttribute(AbsentInput, AttributeError):
    """A driven callback used an attribute of the model that it could have tested with `hasattr`."""


_WEIGHTS = (
    "get_weights set_weights weights trainable_weights non_trainable_weights variables trainable_variables layers"
    " get_layer save save_weights load_weights export to_json get_config summary count_params"
)
_COMPUTING = (
    "fit evaluate predict train_on_batch test_on_batch predict_on_batch train_function test_function"
    " predict_function inputs outputs input output"
)
_ABSENT = {
    **dict.fromkeys(_WEIGHTS.split(), "weights"),
    **dict.fromkeys(_COMPUTING.split(), "what a model computes"),
    "optimizer": "the optimizer",
}


class StandIn:
    """Stands for the model. It has `stop_training` and what callbacks set on it.

    An attribute that every model has raises `AbsentInput`. Any other raises an error that is an `AttributeError` too,
    so that `hasattr` is false.

    >>> model = StandIn()
    >>> model.stop_training, hasattr(model, "metrics")
    (False, False)
    >>> model.get_weights()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fittrace.replay...AbsentInput: model.get_weights: a trace does not hold weights; give a model to `drive`
    """

    def __init__(self) -> None:
        self.stop_training = False

    def __getattr__(self, name: str) -> Any:
        if name in _ABSENT:
            raise AbsentInput(f"model.{name}: a trace does not hold {_ABSENT[name]}; give a model to `drive`")
        raise _AbsentAttribute(f"model.{name}: a trace does not hold the model; give one to `drive`")

    def __call__(self, *arguments: object, **more: object) -> NoReturn:
        """Raise `AbsentInput`."""
        raise AbsentInput("model(): a trace does not hold what a model computes; give a model to `drive`")


class AbsentValue:
    """Stands for a value of the logs that is not a number. Its `repr` is the text that was recorded.

    >>> AbsentValue("images", "<EagerTensor float32>")
    <EagerTensor float32>
    >>> AbsentValue("images", "<EagerTensor float32>") + 1  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fittrace.replay...AbsentInput: logs['images']: not a number; the trace holds only its text, <EagerTensor float32>
    """

    def __init__(self, key: str, text: str) -> None:
        self._key = key
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def _use(self, *others: object) -> NoReturn:
        raise AbsentInput(f"logs[{self._key!r}]: not a number; the trace holds only its text, {self._text}")

    __hash__ = object.__hash__
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _use
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = _use
    __neg__ = __abs__ = __float__ = __int__ = __index__ = __bool__ = __round__ = _use
    __len__ = __iter__ = __getitem__ = __contains__ = __array__ = __format__ = _use


class AbsentLogs(dict[str, Any]):
    """Stands for the logs of a hook that no callback of the recorded run received. It can be added to, but not read.

    >>> AbsentLogs("on_test_batch_end").get("loss")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fittrace.replay...AbsentInput: logs of on_test_batch_end: no callback of the recorded run received them
    """

    def __init__(self, hook: str) -> None:
        super().__init__()
        self._hook = hook

    def __bool__(self) -> bool:
        return True  # so that `logs or {}` gives this object

    def __repr__(self) -> str:
        return f"<logs of {self._hook}, absent>"

    def _use(self, *others: object) -> NoReturn:
        raise AbsentInput(f"logs of {self._hook}: no callback of the recorded run received them")

    __getitem__ = __iter__ = __len__ = __contains__ = __eq__ = __ne__ = __or__ = __ror__ = _use
    get = keys = values = items = copy = pop = popitem = _use
