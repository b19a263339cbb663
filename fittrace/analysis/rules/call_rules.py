"""Rules on how a program calls `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..units import amount, duration, share
from .rule import Finding, keras, rule, tensorflow

OUTSIDE = 0.5
"""Calls are reported if more than this share of their time is outside of the function."""
LEAST_OUTSIDE_NS = 1_000_000_000
"""Less time outside of the function is not worth a change of the program."""
FEW = 10
"""Calls with more batches each are no calls on a little data."""

_INSTEAD = {
    "fit": "fit once with more epochs or on all data, or call train_on_batch",
    "evaluate": "evaluate once on all data, or call test_on_batch",
    "predict": "predict once on all samples, or call the model itself: model(x)",
}


@rule(
    "calls-in-a-loop",
    effect="each call prepares its data and its loop anew, which takes longer than its batches",
    remedy="call it once on all data",
    threads=[keras(13710), tensorflow(35124)],
)
def calls_in_a_loop(repeated_calls: pd.DataFrame) -> Iterator[Finding]:
    """Many calls of a method on a few batches each, from one line, whose time is mostly outside of the function.

    It is reported once for all calls of a line.
    """
    for _, line in repeated_calls.iterrows():
        calls, outside, whole = int(line["calls"]), float(line["outside_ns"]), float(line["duration_ns"])
        is_costly = outside >= LEAST_OUTSIDE_NS and outside > OUTSIDE * whole
        if not is_costly or line["batches"] > FEW * calls:
            continue
        where = f"{line['caller_file']}:{line['caller_line']}"
        batches = amount(int(line["batches"]), "batch", "batches")
        yield Finding(
            f"{calls:,} calls of {line['method']} from {where}, {batches} in all, take {duration(whole)}, "
            f"{duration(whole / calls)} each; {share(outside, whole)} of it is outside of the function",
            remedy=_INSTEAD.get(str(line["method"])),
            fit=int(line["fit"]),
        )


CALLS = (calls_in_a_loop,)
