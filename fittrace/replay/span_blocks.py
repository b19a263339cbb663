"""The spans of a recording, by number, read in blocks as they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..tables.hook_logs import of_hooks
from .recorded_flow import Ints, Recording

BLOCK = 1 << 16
"""Numbers of spans that are read at once."""
_KEPT = 16
_FACTS = ("stage", "epoch", "batch", "callback", "position", "hook")
_COLUMNS = ", ".join(("span", "parent", "start_ns", "duration_ns", "process", *_FACTS))


@dataclass(frozen=True)
class Block:
    """Some spans, in order of their number, and the logs that the hooks among them saw."""

    number: Ints
    start: Ints
    end: Ints
    facts: dict[str, list[Any]]
    logs: dict[int, dict[str, Any]]

    def place(self, number: int) -> int | None:
        """Where a span is among them."""
        place = int(np.searchsorted(self.number, number, "right")) - 1
        # A fetch that found no more data is one span with the turn that did not come to be.
        return place if place >= 0 and number - self.number[place] <= 1 else None


class SpanBlocks:
    """The spans of `recording`."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._blocks: OrderedDict[int, Block] = OrderedDict()

    def start(self, number: int) -> int | None:
        """When a span began, in Unix nanoseconds."""
        block, place = self._find(number)
        return None if place is None else int(block.start[place])

    def end(self, number: int) -> int | None:
        """When a span ended."""
        block, place = self._find(number)
        return None if place is None else int(block.end[place])

    def facts(self, number: int) -> dict[str, Any]:
        """Stage, epoch, batch, callback, position and hook of a span; of a hook also its logs."""
        block, place = self._find(number)
        if place is None:
            return {}
        facts = {name: column[place] for name, column in block.facts.items()}
        return {**facts, **block.logs.get(int(block.number[place]), {})}

    def places(self, names: Iterable[str], numbers: Ints) -> dict[str, npt.NDArray[Any]]:
        """What is named of `stage`, `epoch` and `batch`, of each of the spans with these numbers, which grow; NaN where
        there is none."""
        held = self._between(names, int(numbers[0]) - 1, int(numbers[-1]))
        rows = np.searchsorted(held["span"], numbers, "right") - 1
        # As in `Block.place`.
        there = (rows >= 0) & (numbers >= 0)
        there[there] = numbers[there] - held["span"][rows[there]] <= 1
        found = {}
        for name in names:
            found[name] = np.full(len(numbers), np.nan, held[name].dtype)
            found[name][there] = held[name][rows[there]]
        return found

    def _between(self, names: Iterable[str], low: int, high: int) -> dict[str, npt.NDArray[Any]]:
        """The number (`span`) of the spans from `low` to `high`, in order, and what is named of them."""
        told = {"stage": "stage", "epoch": "epoch::DOUBLE AS epoch", "batch": "batch::DOUBLE AS batch"}
        bounds = f"span >= {low} AND span <= {high}"
        frame = self._recording.rows("spans", ", ".join(["span", *(told[name] for name in names)]), bounds)
        order = np.argsort(frame["span"].to_numpy(), kind="stable")
        return {name: frame[name].to_pandas().to_numpy()[order] for name in frame.column_names}

    def _find(self, number: int) -> tuple[Block, int | None]:
        block = self._block(number // BLOCK)
        return block, block.place(number)

    def _block(self, index: int) -> Block:
        if index not in self._blocks:
            self._blocks[index] = self._read(index)
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(index)
        return self._blocks[index]

    def _read(self, index: int) -> Block:
        # One more before the first, for what is looked up by its neighbour.
        bounds = f"span >= {index * BLOCK - 1} AND span < {(index + 1) * BLOCK}"
        rows = self._recording.rows("spans", _COLUMNS, bounds).sort_by("span")
        number, start = rows["span"].to_numpy(), rows["start_ns"].to_numpy()
        facts = {name: rows[name].to_pylist() for name in _FACTS}
        return Block(number, start, start + rows["duration_ns"].to_numpy(), facts, self._logs(rows))

    def _logs(self, rows: pa.Table) -> dict[int, dict[str, Any]]:
        hooks = rows.filter(rows["callback"].is_valid())
        if not hooks.num_rows:
            return {}
        parents = hooks["parent"].drop_null().to_numpy()
        if not len(parents):
            return {}
        bounds = f"span >= {parents.min()} AND span <= {parents.max()}"
        columns = "span, process, position, key, value, text, removed"
        logs = self._recording.rows("stored.logs", columns, bounds)
        seen = of_hooks(hooks, logs)
        states = zip(hooks["span"].to_pylist(), seen.before, seen.after, seen.changed, strict=True)
        return {
            number: {"logs_before": before, "logs_after": after, "changed": changed}
            for number, before, after, changed in states
        }
