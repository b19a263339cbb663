"""The calls of a TensorFlow 1 session in the functions of an engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cached:
    """A call of a callable of the session that the function keeps in an attribute.

    The callable's run options are fixed when it is made; `run_metadata` is an argument of its call. So sampling a batch
    needs a second callable.

    - `name`: the attribute with the callable.
    - `maker`: the method that makes the callable.
    - `arguments`: the arguments of `maker`: variables of the function that makes the call.
    """

    name: str
    maker: str
    arguments: tuple[str, ...]

    optional = False

    def __str__(self) -> str:
        return "a call of " + self.name


@dataclass(frozen=True)
class SessionRun:
    """A call of the session's `run`.

    - `keywords`: the attribute with the keyword arguments of the call.
    - `optional`: whether some versions lack the call.
    """

    keywords: str
    optional: bool = False
    name = "run"

    def __str__(self) -> str:
        return "a call of " + self.name
