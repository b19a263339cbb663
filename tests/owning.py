"""What a recorder has for the thread that a capture belongs to, for those that tests have in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fittrace.capture.record.pyprobes import Probe


class Owning:
    """A recorder whose `mark` and `step` the owner's probes do; `is_owner` says whether the owner runs."""

    is_owner = True
    mark: Callable[..., Any]

    def is_here(self, _: int) -> bool:
        return self.is_owner

    def known(self, _: int) -> bool:
        return True

    def leave(self) -> None: ...

    def begin_root(self) -> None: ...

    def begins(self, head: int) -> bool:
        if self.is_owner:
            self.mark(head)
        return self.is_owner

    def probe(self, name: str, head: int) -> Probe:
        return Probe(getattr(self, name), head)
