"""The comparison of two traces, as text and as JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import TextIO

from rich.text import Text

from ..analysis.diff import Comparison, Difference
from ..analysis.units import amount, count, duration, epoch_and_batch
from ..schema.safe_text import printable
from .json_values import json_value
from .terminal import console, table

_HEADERS = [
    *("time", "phase", "spans A", "spans B", "total A", "total B", "median A", "median B"),
    *("B / A", "chance", "verdict"),
]


def print_comparison(comparison: Comparison, file: TextIO) -> None:
    """Write the differences, and the time of each phase, to `file`."""
    out = console(file)
    for difference in comparison.differences:
        out.print(Text(line(difference)), soft_wrap=True)
    if comparison.times:
        rows = [
            [
                f"fit {time.fit}",
                printable(time.name),
                count(time.count_a),
                count(time.count_b),
                duration(time.total_a_ns),
                duration(time.total_b_ns),
                duration(time.median_a_ns),
                duration(time.median_b_ns),
                f"{time.ratio:.2f}",
                "–" if time.noise is None else f"×÷ {time.noise:.2f}",
                "differs" if time.differs else "",
            ]
            for time in comparison.times
        ]
        if comparison.differences:
            out.print()
        out.print(table(_HEADERS, rows, {"time", "phase", "verdict"}))
    number = len(comparison.differences) + sum(time.differs for time in comparison.times)
    out.print(Text("alike" if comparison.alike else amount(number, "difference", "differences")))


def line(difference: Difference) -> str:
    """Describe a difference on one line."""
    where = [] if difference.fit is None else [f"fit {difference.fit}"]
    where += epoch_and_batch(difference.epoch, difference.batch)
    return printable(f"{difference.aspect} {difference.kind}: {', '.join(where)}: {difference.message}")


def as_json(comparison: Comparison) -> str:
    """The comparison as one JSON object: `alike`, `differences` and `times`."""
    content = {
        "alike": comparison.alike,
        "differences": [dataclasses.asdict(difference) for difference in comparison.differences],
        "times": [dataclasses.asdict(time) for time in comparison.times],
    }
    return json.dumps(json_value(content), indent=1)
