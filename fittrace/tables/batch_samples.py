"""The samples of a batch, from its bounds and the sample order of its epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..schema.safe_text import printable
from ..schema.tables import STAGES
from .database import Database, row_dicts
from .query_errors import UnknownSamples
from .sql_literals import literal

Indices = npt.NDArray[np.int64]

_BATCHES = """
    SELECT b.run, b.process, b.stage, b.first_sample, b.size, f.engine
    FROM stored.batches b JOIN stored.fits f ON f.run = b.run AND f.process = b.process AND f.fit = b.fit
    WHERE b.fit = {fit} AND b.epoch IS NOT DISTINCT FROM {epoch} AND {batch} BETWEEN b.batch AND b.last_batch
"""
_METHOD = "CASE f.method WHEN 'fit' THEN 'train' WHEN 'evaluate' THEN 'test' ELSE 'predict' END"
_RANGES = """
    SELECT position, sample, count FROM stored.samples
    WHERE run = {run} AND process = {process} AND fit = {fit} AND stage = {stage}
        AND epoch IS NOT DISTINCT FROM {epoch} AND position < {end} AND position + count > {begin}
    ORDER BY position
"""


@dataclass(frozen=True)
class Batch:
    """A batch as a user names it.

    - `fit`: the number of the fit in its process.
    - `epoch`: the number of the epoch. None outside of an epoch loop.
    - `batch`: the number of the batch.
    - `stage`: `train`, `test` or `predict`. None for the fit's own stage.
    - `process`: the number of the process. None if only one process has such a batch.
    - `run`: the name of the run. None if only one run has such a batch.
    """

    fit: int
    epoch: int | None
    batch: int
    stage: str | None
    process: int | None
    run: str | None

    def __str__(self) -> str:
        where = f"fit {self.fit}" + (f", epoch {self.epoch}" if self.epoch is not None else "")
        return f"{where}, {self.stage + ' ' if self.stage else ''}batch {self.batch}"


def samples_of(database: Database, batch: Batch) -> Indices:
    """The indices of the samples in `batch`. Raises `UnknownSamples` if the trace does not have them."""
    row = _row(database, batch)
    if row["first_sample"] is None or row["size"] is None:
        raise UnknownSamples(f"{batch}: {printable(row['engine'])} does not tell its samples here; array loops do")
    begin, end = row["first_sample"], row["first_sample"] + row["size"]
    chosen = {name: literal(row[name]) for name in ("run", "process", "stage")}
    chosen |= {"fit": literal(batch.fit), "epoch": literal(batch.epoch)}
    ranges = row_dicts(database.over_stored(_RANGES.format(**chosen, begin=begin, end=end), ["samples"]))
    if any(part["sample"] is None for part in ranges):
        raise UnknownSamples(
            f"{batch}: the order of its epoch's {ranges[0]['count']:,} samples was not kept: there are too"
            " many; trace fewer samples or epochs"
        )
    pieces = []
    for part in ranges:
        # An epoch's order is stored as ranges of successive samples. The batch may begin or end inside a range.
        first = max(begin - part["position"], 0)
        last = min(end - part["position"], part["count"])
        pieces.append(np.arange(part["sample"] + first, part["sample"] + last))
    samples = np.concatenate([np.empty(0, np.int64), *pieces])
    if len(samples) != row["size"]:
        raise UnknownSamples(f"{batch}: the order of its epoch's samples is lost; `notes` may tell why")
    return samples


def _row(database: Database, batch: Batch) -> dict[str, Any]:
    """The stored row of the batch, which must be the only one that fits."""
    if batch.stage is not None and batch.stage not in STAGES:
        raise UnknownSamples(f"stage {batch.stage!r}: no such stage; give one of {', '.join(STAGES)}")
    query = _BATCHES.format(fit=literal(batch.fit), epoch=literal(batch.epoch), batch=literal(batch.batch))
    query += f" AND b.stage = {_METHOD if batch.stage is None else literal(batch.stage)}"
    for name in ("process", "run"):
        value = getattr(batch, name)
        query += "" if value is None else f" AND b.{name} = {literal(value)}"
    rows = row_dicts(database.over_stored(query, ["batches", "fits"]))
    if not rows:
        raise UnknownSamples(f"{batch}: no such batch in the trace; `batches()` lists those that there are")
    for name in ("run", "process"):
        values = sorted({row[name] for row in rows})
        if len(values) > 1:
            listed = ", ".join(printable(value) for value in values)
            raise UnknownSamples(f"{batch}: there is one in {name} {listed} each; say which with {name}=")
    return rows[0]
