"""How many steps of the engine each epoch has. A row of `batches` may be several steps."""

from __future__ import annotations

import pandas as pd

from ..units import amount


def steps_by_epoch(batches: pd.DataFrame, stage: str) -> dict[int, int]:
    """The steps of each epoch that has any.

    - `batches`: the fit's rows of `batches`.
    - `stage`: the stage that counts, `train` or `test`.

    >>> rows = {"stage": ["train"] * 2, "epoch": [0, 0], "batch": [0, 3], "last_batch": [2, 4]}
    >>> steps_by_epoch(pd.DataFrame(rows), "train")
    {0: 5}
    """
    rows = batches[((batches["stage"] == stage) & batches["epoch"].notna()).to_numpy(bool)]
    steps = (rows["last_batch"] - rows["batch"] + 1).groupby(rows["epoch"].astype(int)).sum()
    return {int(epoch): int(count) for epoch, count in steps.items()}


def and_later(epochs: list[int]) -> str:
    """What a message on the first of some epochs says of the others.

    >>> and_later([3]), and_later([3, 5, 7])
    ('', ', and in 2 later epochs')
    """
    others = len(epochs) - 1
    return f", and in {amount(others, 'later epoch', 'later epochs')}" if others else ""
