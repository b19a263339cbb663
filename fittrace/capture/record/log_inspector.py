"""The log inspector: what probes ask when they meet something for the first time, or something that has changed.

Nothing is asked again about what has not changed: `native/probes.c` and `pyprobes` see to that.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Callable

from ..isolation import interruptions
from ..isolation.clock import Clock
from . import attributes, exception_text, kept_values
from .names import Names

WIDEST = 64
"""Keys of logs that are compared object by object, at most."""
_FALSE = id(False)


class LogInspector:
    """Looks at logs, callbacks and models for the probes.

    - `names`: numbers texts, keys of logs and classes of callbacks.
    - `fault`: takes what failed, and where.
    - `meet_callback`: takes note of a callback's class, which is about to be called for the first time.
    - `end_root`: takes note that a model's method ends, in the frame of that identity.
    - `state_head`: begins the records of logs.
    - `stop_head`: begins the records of `stop_training`.

    The probes read `clock`, the time in nanoseconds, and look up numbers that are known: in `classes` those of
    callbacks' classes by identity, in `texts` those of texts.
    """

    clock = staticmethod(Clock.now_ns)

    def __init__(
        self,
        names: Names,
        fault: Callable[[str, BaseException], None],
        meet_callback: Callable[[type], None],
        end_root: Callable[[int], None],
        state_head: int,
        stop_head: int,
    ) -> None:
        self.classes, self.texts = names.classes, names.texts
        self.text = names.text
        self.fault = fault
        self.end_root = end_root
        self.state_head = state_head
        self._stop_head = stop_head
        self._names = names
        self._meet_callback = meet_callback
        # What `stop_training` is in the models where it is not False: identities of their attributes and of it.
        self._stopped: dict[int, int] = {}

    def meet(self, kind: type) -> int:
        """The number of a callback's class that is met for the first time."""
        self._meet_callback(kind)
        return self._names.new_class(kind)

    def plain(self, logs: dict[Any, Any]) -> tuple[int, str] | None:
        """The number of the keys of logs and the kind of each value, where all are plain numbers under texts.

        Then whether an object is the same tells whether a value is.
        """
        if not 0 < len(logs) <= WIDEST:
            return None
        for key, value in logs.items():
            if id(type(value)) not in kept_values.PLAIN or type(key) is not str:
                return None
            if kept_values.as_number(value) is None:
                return None
        kinds = kept_values.kinds(logs)
        return self._names.keys(tuple(logs), kinds), kinds

    def describe(self, logs: Any) -> tuple[int, ...]:
        """The operands of a `state` record for any logs."""
        return kept_values.describe(logs, self._names)

    def error(self, raised: BaseException | None, traceback: TracebackType | None) -> int:
        """The number of the text of an exception that leaves an engine's function. Its traceback is as it would be."""
        interruptions.leave_out(traceback)
        return self._names.text(exception_text.error_text(raised))

    def attributes(self, owner: object) -> dict[str, Any]:
        """The attributes of the model that a callback list works for."""
        return attributes.of_model(owner)

    def stop(self, attributes: dict[str, Any]) -> tuple[int, int] | None:
        """The record that tells what `stop_training` has become in a model's `attributes`, where it has changed."""
        stopping = attributes.get("stop_training")
        now = _FALSE if stopping is None else id(stopping)
        model = id(attributes)
        if now == self._stopped.get(model, _FALSE):
            return None
        record = self._stop_head, self._names.text(kept_values.text(stopping if stopping is not None else False))
        # Only now, and without a call: a signal handler may raise before, and then it is told the next time.
        if now != _FALSE:
            self._stopped[model] = now
        elif model in self._stopped:
            del self._stopped[model]
        return record
