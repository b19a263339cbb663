"""The spans of a recording by their number, read in blocks on demand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..tables.hook_logs import of_hooks
from .recorded_flow import Ints, RecordedFlow

BLOCK = 1 << 16
"""How many span numbers a block has."""

_CACHED_BLOCKS = 16
_FACTS = ("stage", "epoch", "batch", "callback", "position", "hook")
_COLUMNS = ", ".join(("span", "parent", "start_ns", "duration_ns", "process", *_FACTS))
_NUMERIC = {"stage": "stage", "epoch": "epoch::DOUBLE AS epoch", "batch": "batch::DOUBLE AS batch"}
"""How to select facts so that a missing number is NaN."""


@dataclass(frozen=True)
class Block:
    """Some spans, in the order of their numbers."""

    number: Ints
    start: Ints
    "Unix time, in nanoseconds."
    end: Ints
    facts: dict[str, list[Any]]
    "The columns of `_FACTS`, by name."
    logs: dict[int, dict[str, Any]]
    "By the number of a hook's span: `logs_before`, `logs_after` and `changed`."

    def row(self, number: int) -> int | None:
        """The index of the span of that number; None if the block has no such span."""
        row = int(np.searchsorted(self.number, number, "right")) - 1
        # The store merges a fetch that found no more data with the batch around it, which never came to be. Such a span
        # has the number of the batch, but visits may name it by the next number, that of the fetch.
        return row if row >= 0 and number - self.number[row] <= 1 else None


class SpanBlocks:
    """The spans of a recording. The blocks read last stay in memory."""

    def __init__(self, recording: RecordedFlow) -> None:
        self._recording = recording
        self._blocks: OrderedDict[int, Block] = OrderedDict()

    def start(self, number: int) -> int | None:
        """When a span began, in Unix nanoseconds; None if there is no such span."""
        block, row = self._find(number)
        return None if row is None else int(block.start[row])

    def end(self, number: int) -> int | None:
        """When a span ended, in Unix nanoseconds; None if there is no such span."""
        block, row = self._find(number)
        return None if row is None else int(block.end[row])

    def facts(self, number: int) -> dict[str, Any]:
        """Stage, epoch, batch, callback, position and hook of a span; of a hook also its logs."""
        block, row = self._find(number)
        if row is None:
            return {}
        facts = {name: column[row] for name, column in block.facts.items()}
        return {**facts, **block.logs.get(int(block.number[row]), {})}

    def columns(self, names: Iterable[str], numbers: Ints) -> dict[str, npt.NDArray[Any]]:
        """Some of `stage`, `epoch` and `batch`, each with an item for each of `numbers`; NaN if it is not known.

        `numbers` must be in ascending order. They are read as one range.
        """
        read = self._read_range(names, int(numbers[0]) - 1, int(numbers[-1]))
        rows = np.searchsorted(read["span"], numbers, "right") - 1
        # The same condition as in `Block.row`.
        known = (rows >= 0) & (numbers >= 0)
        known[known] = numbers[known] - read["span"][rows[known]] <= 1
        columns = {}
        for name in names:
            columns[name] = np.full(len(numbers), np.nan, read[name].dtype)
            columns[name][known] = read[name][rows[known]]
        return columns

    def _read_range(self, names: Iterable[str], low: int, high: int) -> dict[str, npt.NDArray[Any]]:
        """The column `span` and those of `names`, of the spans from `low` to `high`, in the order of their numbers."""
        bounds = f"span >= {low} AND span <= {high}"
        rows = self._recording.rows("spans", ", ".join(["span", *(_NUMERIC[name] for name in names)]), bounds)
        order = np.argsort(rows["span"].to_numpy(), kind="stable")
        return {name: rows[name].to_pandas().to_numpy()[order] for name in rows.column_names}

    def _find(self, number: int) -> tuple[Block, int | None]:
        block = self._block(number // BLOCK)
        return block, block.row(number)

    def _block(self, index: int) -> Block:
        if index not in self._blocks:
            self._blocks[index] = self._read_block(index)
            while len(self._blocks) > _CACHED_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(index)
        return self._blocks[index]

    def _read_block(self, index: int) -> Block:
        # The span before the first is read too: `Block.row` may need it.
        bounds = f"span >= {index * BLOCK - 1} AND span < {(index + 1) * BLOCK}"
        rows = self._recording.rows("spans", _COLUMNS, bounds).sort_by("span")
        number, start = rows["span"].to_numpy(), rows["start_ns"].to_numpy()
        facts = {name: rows[name].to_pylist() for name in _FACTS}
        return Block(number, start, start + rows["duration_ns"].to_numpy(), facts, self._read_logs(rows))

    def _read_logs(self, rows: pa.Table) -> dict[int, dict[str, Any]]:
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
