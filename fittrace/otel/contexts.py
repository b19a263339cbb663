"""Contexts: a span of ours is current while it is open. When it ends, the span before it is current again.

Changes that the program makes to the current context survive. A span that a hook leaves current stays current, as it
would without fittrace, and so does baggage. Only our own spans never stay current after their end.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span, set_span_in_context

from ..schema.otel_names import SCOPE


class AttachedContext:
    """Makes a span current in the calling thread, until `leave`.

    - `span`: the span of OpenTelemetry.
    - `inside`: what made the span of ours around it current; None where there is none.
    - `context`: OpenTelemetry's context in which the span is current.
    """

    __slots__ = ("_around", "_span", "_token", "context")

    def __init__(self, span: Any, inside: "AttachedContext | None") -> None:
        before = contexts.get_current()
        self._span: Any = span
        self._around: Any = get_current_span(before) if inside is None else inside._span
        self.context: Context = set_span_in_context(span, before)
        self._token = contexts.attach(self.context)

    def leave(self) -> None:
        """Restore the context from before, unless the program has changed the context since."""
        now = contexts.get_current()
        if now is self.context:
            contexts.detach(self._token)
            return
        current = get_current_span(now)
        if current is self._span or is_over(current):
            # A hook may detach what an earlier hook attached. That restores the earlier hook's context, whose span has
            # ended. So the span around becomes current, and the rest of the context stays.
            contexts.attach(set_span_in_context(self._around, now))


def is_over(span: Any) -> bool:
    """Whether a span is one of ours that has ended. A program may make such a span current again."""
    scope = getattr(span, "instrumentation_scope", None)
    return scope is not None and scope.name == SCOPE and not span.is_recording()
