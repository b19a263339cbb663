"""The sites of one function, and the probes that record them."""

from __future__ import annotations

import ast
from typing import Any, Callable

from ...engines import Loop, Phase
from ..sites import Site
from . import syntax

MakeSite = Callable[..., Site]


class FunctionSites:
    """Makes the sites of one function, and probes for them.

    - `function`: its qualified name.
    - `file`: the file that it is in.
    - `site`: makes a site of its engine.
    """

    def __init__(self, function: str, file: str, site: MakeSite) -> None:
        self.name = function
        self.file = file
        self.make_site = site

    def site(self, kind: str, at: ast.stmt, **facts: Any) -> Site:
        """A new site of this function, on the line of `at`. `facts` are further fields of `Site`."""
        return self.make_site(kind=kind, file=self.file, function=self.name, line=at.lineno, **facts)

    def probe(self, kind: str, at: ast.stmt, **facts: Any) -> ast.stmt:
        """A probe with a new site, on the line of `at`. `facts` are further fields of `Site`."""
        return self.record(self.site(kind, at, **facts), at)

    def close(self, at: ast.stmt, depth: int, current: object) -> ast.stmt:
        """The probe that closes the span that is open in a block; `current` is what opened it."""
        return self.probe("close", at, depth=depth, level=level_of(current))

    def record(self, site: Site, at: ast.stmt, *operands: ast.expr) -> ast.stmt:
        """The probe `recorder.mark(head, *operands)`, on the line of `at`."""
        return syntax.probe(site, syntax.mark(site.head, *operands), at)


def level_of(owner: object) -> int:
    """The `level` of a span's sites, by which load shedding drops: 0 never, 1 batches, 2 other phases, which go first.

    `owner` is what opened the span: a loop or a rule of the table, or the name of a phase. Epochs are never dropped.
    Nor are validations: they tell that the `evaluate` in them is no fit of its own.
    """
    if isinstance(owner, (Loop, Phase)) and owner.phase in ("epoch", "validation"):
        return 0
    return 1 if isinstance(owner, Loop) else 2
