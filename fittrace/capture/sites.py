"""Sites: the places in the engine's source that record, numbered through the life of the process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable


@dataclass(frozen=True)
class Site:
    """One place that records.

    - `number`: its number in the process; the head of its records says it.
    - `kind`: what its records do and which operands they have, a key of `schema.record_kinds.KINDS`.
    - `file`, `function`, `line`: where it is in the source.
    - `engine`: the engine whose function it is in.
    - `depth`: how many spans of the frame its records leave open.
    - `phases`: the phases of the spans that its records then open; `names` are the names of these spans.
    - `stage`: the stage of a root, a call of a model's method. `root` marks the site that begins it.
    - `counts`: what the number in its records counts, `epoch` or `batch`.
    - `hook`: the hook that its records tell of.
    - `level`: what load shedding leaves out first: 3 control flow, 2 detail, 1 batches and hooks; 0 is always kept.
    - `fence`: whether it begins or ends a frame that is no call of a function, but a few statements of a generator.
    - `goes_on`: whether an exception that its records tell of passes a `finally`, where no `except` or `with` ends it.
    """

    number: int
    kind: str
    file: str
    function: str
    line: int
    engine: str
    depth: int = 0
    phases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    stage: str | None = None
    root: bool = False
    counts: str | None = None
    hook: str | None = None
    level: int = 2
    fence: bool = False
    goes_on: bool = False

    @property
    def head(self) -> int:
        """The head of the site's records."""
        return -(self.number + 1)

    def definition(self) -> dict[str, Any]:
        """The definition of the site in the journal, without what is absent."""
        facts: dict[str, Any] = {"define": "site", "site": self.number}
        for key, value in vars(self).items():
            if key != "number" and value is not None and value is not False and value != ():
                facts[key] = value
        return facts


def maker(engine: str, sites: list[Site]) -> Callable[..., Site]:
    """A function that makes sites of an engine. It appends each to `sites`; its number is its index there."""

    def make(**facts: Any) -> Site:
        made = Site(number=len(sites), engine=engine, **facts)
        sites.append(made)
        return made

    return make
