"""Whether the hooks of a fit came in the order of its loops: a quick look, which the whole pattern need not follow."""

from __future__ import annotations

import re

import pandas as pd

_LETTERS = {
    "on_train_begin": "T",
    "on_epoch_begin": "E",
    "on_train_batch_begin": "B",
    "on_batch_begin": "B",
    "on_train_batch_end": "b",
    "on_batch_end": "b",
    "on_test_begin": "V",
    "on_test_batch_begin": "C",
    "on_test_batch_end": "c",
    "on_test_end": "v",
    "on_epoch_end": "e",
    "on_train_end": "t",
}
_PROPER = re.compile("(T(E(Bb?)*(V(Cc?)*v)?e)*t)?")


def is_proper(hooks: pd.DataFrame) -> bool:
    """Whether `hooks`, those of one fit on its thread, are called as a fit with loops does it; False where a closer
    look is needed.

    Each epoch's hooks have its number, and each batch's begin a higher one than the batch's before.
    """
    # One pass of a hook through the list of callbacks is one call.
    passing = hooks["parent"].fillna(-1).to_numpy()
    is_first = passing[1:] != passing[:-1]
    if len(hooks):
        hooks = hooks[[True, *is_first]]
    letters = "".join([_LETTERS.get(hook, "?") for hook in hooks["hook"].astype(str)])
    return _PROPER.fullmatch(letters) is not None and _are_in_order(
        letters, hooks["epoch"].tolist(), hooks["batch"].tolist()
    )


def _are_in_order(letters: str, epochs: list[object], batches: list[object]) -> bool:
    epoch, begun, done = -1, -1, -1
    for letter, of_epoch, of_batch in zip(letters, epochs, batches, strict=True):
        if letter in "Tt":
            continue
        if not isinstance(of_epoch, int) or (of_epoch <= epoch if letter == "E" else of_epoch != epoch):
            return False
        if letter in "EV":
            begun = done = -1
        if letter == "E":
            epoch = of_epoch
        elif letter in "BCbc":
            if not isinstance(of_batch, int) or (of_batch <= max(begun, done) if letter in "BC" else of_batch < begun):
                return False
            begun, done = (of_batch, done) if letter in "BC" else (begun, of_batch)
    return True
