"""Looking: what probes ask when they meet something for the first time, or something that has changed.

Nothing here is asked twice about what is as it was: `native/probes.c` and `pyprobes` see to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import attributes, values
from .clock import Clock

if TYPE_CHECKING:
    from .session import Session

WIDEST = 64
"""Keys of logs that are compared object by object, at most."""
_FALSE = id(False)


class Looking:
    """Looks at logs, callbacks and models for the probes of a `session`.

    `clock` reads the time in nanoseconds, `classes` are the numbers of the callbacks' classes by their identity,
    `texts` those of texts, of which `text` gives a new one its own. `state_head` and `stop_head` begin the records of
    logs, and of `stop_training`.
    """

    clock = staticmethod(Clock.now_ns)

    def __init__(self, session: Session, state_head: int, stop_head: int) -> None:
        self.state_head = state_head
        self.classes, self.texts = session.names.classes, session.names.texts
        self.text = session.names.text
        self.fault = session.fault
        self.meet = session.meet_callback
        self._stop_head = stop_head
        self._names = session.names
        self._stopped = session.stopped

    def plain(self, logs: dict[Any, Any]) -> tuple[int, str] | None:
        """The number of the keys of logs and the kind of each value, where all are plain numbers under texts.

        Then whether an object is the same tells whether a value is.
        """
        if not 0 < len(logs) <= WIDEST:
            return None
        for key, value in logs.items():
            if id(type(value)) not in values.PLAIN or type(key) is not str:
                return None
            if values.as_number(value) is None:
                return None
        kinds = values.kinds(logs)
        return self._names.keys(tuple(logs), kinds), kinds

    def describe(self, logs: Any) -> tuple[int, ...]:
        """The operands of a `state` record for any logs."""
        return values.describe(logs, self._names)

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
        if now == _FALSE:
            self._stopped.pop(model, None)
        else:
            self._stopped[model] = now
        return self._stop_head, self._names.text(values.text(stopping if stopping is not None else False))
