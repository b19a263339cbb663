"""Looking: what probes ask when they meet something for the first time, or something that has changed.

Nothing here is asked twice about what is as it was: `native/probes.c` and `pyprobes` see to that.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..isolation import interruptions
from ..isolation.clock import Clock
from . import attributes, exceptions, values

if TYPE_CHECKING:
    from ..session import Session

WIDEST = 64
"""Keys of logs that are compared object by object, at most."""
_FALSE = id(False)


class LogInspector:
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
        self.end_root = session.end_root
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

    def error(self, raised: BaseException | None, traceback: TracebackType | None) -> int:
        """The number of the text of an exception that leaves an engine's function. Its traceback is as it would be."""
        interruptions.leave_out(traceback)
        return self._names.text(exceptions.error_text(raised))

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
        record = self._stop_head, self._names.text(values.text(stopping if stopping is not None else False))
        # Only now, and without a call: a signal handler may raise before, and then it is told the next time.
        if now != _FALSE:
            self._stopped[model] = now
        elif model in self._stopped:
            del self._stopped[model]
        return record
