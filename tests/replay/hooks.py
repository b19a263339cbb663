"""Callbacks that no Keras made."""

from __future__ import annotations

from typing import Any


class Everything:
    """Has every hook, and writes down what each was called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.model: Any = None

    def note(self, hook: str, *arguments: Any) -> None:
        """Write down one call; the logs as they are now."""
        self.calls.append((hook, *(dict(a) if type(a) is dict else a for a in arguments)))

    def set_model(self, model: Any) -> None:
        self.model = model
        self.note("set_model", model)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_") or name == "set_params":
            return lambda *arguments: self.note(name, *arguments)
        raise AttributeError(name)
