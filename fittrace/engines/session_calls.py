"""How a function of an engine calls a session of TensorFlow 1."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cached:
    """A call of a callable that a function caches in its attribute `name`, made by its method `maker` from `arguments`,
    which are variables where it is called. Its options are baked in; it takes a `run_metadata` when it is called.
    """

    name: str
    maker: str
    arguments: tuple[str, ...]

    optional = False

    def __str__(self) -> str:
        return "a call of " + self.name


@dataclass(frozen=True)
class SessionRun:
    """A call of a session's own `run`, with what a function has in its attribute `keywords`; `optional` is for what
    only some versions have.
    """

    keywords: str
    optional: bool = False
    name = "run"

    def __str__(self) -> str:
        return "a call of " + self.name
