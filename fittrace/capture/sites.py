"""Sites: the places in the engine's source that record, numbered through the life of the process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable


@dataclass(frozen=True)
class Site:
    """One place that records.

    `kind` is a key of `schema.record_kinds.KINDS`. A record of the site leaves `depth` spans of its frame open and then
    opens one for each of `phases`; `names` are the names of those spans. `stage` and `root` belong to the sites that
    begin a root's frame; `counts` says whether a number is an `epoch` or a `batch`. `level` is what may be dropped
    first: 0 never, 1 when even batches are too much, 2 is detail, 3 control flow alone. A `fence` enters and ends a
    frame of the records that is none of the program's: a few statements of a generator. An exception that a record of
    kind `raised` tells of `goes_on` where no `except` or `with` can end it: it passes a `finally`.
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
        """What stands at the head of the site's records."""
        return -(self.number + 1)

    def definition(self) -> dict[str, Any]:
        """What the journal says of it; what is absent is left out."""
        facts: dict[str, Any] = {"define": "site", "site": self.number}
        for key, value in vars(self).items():
            if key != "number" and value is not None and value is not False and value != ():
                facts[key] = value
        return facts


def maker(engine: str, sites: list[Site]) -> Callable[..., Site]:
    """What makes the sites of an engine, each of which is appended to `sites`, where its number is its place."""

    def make(**facts: Any) -> Site:
        made = Site(number=len(sites), engine=engine, **facts)
        sites.append(made)
        return made

    return make
