"""The sites that a journal defines, as arrays, so that many records are derived at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...schema.record_kinds import KINDS, depth_of, opened_phases
from ...schema.tables import PHASES, STAGES

KIND = {kind: code for code, kind in enumerate(KINDS)}
"""The code of each kind of record."""
PHASE = {phase: code for code, phase in enumerate(PHASES)}
"""The code of each phase."""
STAGE = {stage: code for code, stage in enumerate(STAGES)}
"""The code of each stage."""
UNKNOWN = len(KINDS)
"""The code of the kind of a site whose definition is lost."""
ARITY = np.array([len(kind.operands) for kind in KINDS.values()] + [-1])
"""The number of operands of each kind; -1 for `UNKNOWN`."""

Codes = npt.NDArray[np.int32]


def codes(kinds: Iterable[str]) -> list[int]:
    """The codes of some kinds of record, as `SiteArrays.kind` holds them."""
    return [KIND[kind] for kind in kinds]


@dataclass(frozen=True)
class SiteArrays:
    """The definitions of sites, one array per attribute, by the site's number. -1 stands for an absent value.

    - `kind`: the code of its kind of record; `UNKNOWN` where its definition is lost.
    - `depth`: how many spans of the frame its records leave open.
    - `opens`: how many spans its records open.
    - `phase`, `name`: the codes of the phases and names of these spans. Each site has a row of two: the outer and the
      inner span.
    - `stage`: the code of its stage.
    - `root`: whether its records begin a call of a model's method.
    - `counts_epoch`, `counts_batch`: whether the number in its records is that of an epoch, or of a batch.
    - `hook`: the code of its hook.
    - `goes_on`: whether an exception that its records report passes a `finally` and goes on.
    - `engine`: the name of its engine.

    For all sites together:

    - `names`, `hooks`: the texts that the codes in `name` and `hook` stand for.
    - `changes`: how many definitions of sites had come in when the arrays were made.
    """

    kind: Codes
    depth: Codes
    opens: Codes
    phase: npt.NDArray[np.int32]
    name: npt.NDArray[np.int32]
    stage: Codes
    root: npt.NDArray[np.bool_]
    counts_epoch: npt.NDArray[np.bool_]
    counts_batch: npt.NDArray[np.bool_]
    hook: Codes
    goes_on: npt.NDArray[np.bool_]
    engine: list[str]
    names: list[str]
    hooks: list[str]
    changes: int

    @classmethod
    def of(cls, definitions: Sequence[dict[str, Any] | None], changes: int = 0) -> SiteArrays:
        """The arrays of the sites in `definitions`, by number; None where a definition was lost."""
        count = len(definitions)
        ints = {key: np.full(count, -1, np.int32) for key in ("kind", "depth", "opens", "stage", "hook")}
        phase, name = np.full((count, 2), -1, np.int32), np.full((count, 2), -1, np.int32)
        root, epoch, batch, goes_on = (np.zeros(count, bool) for _ in range(4))
        engine, names, hooks = [""] * count, _Numbered(), _Numbered()
        ints["kind"][:] = UNKNOWN
        for number, site in enumerate(definitions):
            if site is None:
                continue
            phases = site.get("phases", [])
            ints["kind"][number] = KIND[site["kind"]]
            ints["depth"][number] = depth_of(site["kind"], site.get("depth", 0))
            ints["opens"][number] = len(opened_phases(site["kind"], phases))
            ints["stage"][number] = STAGE.get(str(site.get("stage")), -1)
            ints["hook"][number] = hooks(str(site["hook"])) if "hook" in site else -1
            phase[number, : len(phases)] = [PHASE[each] for each in phases]
            name[number, : len(phases)] = [names(str(each)) for each in site.get("names", phases)]
            root[number] = site.get("root") is True
            epoch[number], batch[number] = site.get("counts") == "epoch", site.get("counts") == "batch"
            goes_on[number] = site.get("goes_on") is True
            engine[number] = str(site.get("engine", ""))
        return cls(
            ints["kind"], ints["depth"], ints["opens"], phase, name, ints["stage"], root, epoch, batch, ints["hook"],
            goes_on, engine, names.texts, hooks.texts, changes,
        )  # fmt: skip


class _Numbered:
    """Numbers texts in order of first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def texts(self) -> list[str]:
        return list(self._numbers)
