"""A fast test whether the hooks of a fit were called in the order of its loops.

Matching a pattern takes long for a fit of many batches. One regular expression settles the common case.
"""

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
"""A letter for each hook: a capital one for `begin`, a small one for `end`."""
_PROPER = re.compile("(T(E(Bb?)*(V(Cc?)*v)?e)*t)?")
"""A fit with loops, as text of `_LETTERS`. The ends of batches may be missing, since they may run on another thread."""


def is_proper(hooks: pd.DataFrame) -> bool:
    """Whether `hooks`, one fit's hook calls on its thread, are surely in the order of its loops.

    False means that a closer look is needed: the calls may still be in order.

    >>> hooks = pd.DataFrame({"hook": ["on_train_begin", "on_train_end"], "parent": [1, 5]})
    >>> hooks = hooks.assign(epoch=None, batch=None)
    >>> is_proper(hooks), is_proper(hooks[::-1])
    (True, False)
    """
    # Of each pass through the callback list, keep the first call.
    passing = hooks["parent"].fillna(-1).to_numpy()
    is_first = passing[1:] != passing[:-1]
    if len(hooks):
        hooks = hooks[[True, *is_first]]
    letters = "".join([_LETTERS.get(hook, "?") for hook in hooks["hook"].astype(str)])
    return _PROPER.fullmatch(letters) is not None and _are_in_order(
        letters, hooks["epoch"].tolist(), hooks["batch"].tolist()
    )


def _are_in_order(letters: str, epochs: list[object], batches: list[object]) -> bool:
    """Whether the epoch is the same from `E` to `e` and grows with each `E`, and batch numbers grow within a loop.

    - `letters`: the letter of each call.
    - `epochs`: the epoch of each call.
    - `batches`: the batch of each call.
    """
    current_epoch, begun, ended = -1, -1, -1
    for letter, epoch, batch in zip(letters, epochs, batches, strict=True):
        if letter in "Tt":
            continue
        if not isinstance(epoch, int) or (epoch <= current_epoch if letter == "E" else epoch != current_epoch):
            return False
        if letter in "EV":
            begun = ended = -1
        if letter == "E":
            current_epoch = epoch
        elif letter in "BCbc":
            # With `steps_per_execution`, a batch may end with a higher number than it began with.
            if not isinstance(batch, int) or (batch <= max(begun, ended) if letter in "BC" else batch < begun):
                return False
            begun, ended = (batch, ended) if letter in "BC" else (begun, batch)
    return True
