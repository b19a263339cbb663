"""Makes stores of any size, filled with made-up but lifelike fits: for tests, and for timing the reading of large ones.

Every batch is laid out as the engines run it: fetch, batch-begin hooks, function, logs, batch-end hooks. Its time is a
row of elementary durations with noise, and a span is the stretch between two of them, so that time adds up exactly.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fittrace.schema import run_facts as schema_run
from fittrace.store.parquet.partition_writer import PartitionWriter

BUILT_IN = ("ProgbarLogger", "History")
CHUNK = 65_536

COMPILE_NS = 1_200_000_000
"""What the first batch of a fit takes above the others."""

PREPARE_NS = 40_000_000
"""What a fit takes before its first epoch."""


@dataclass(frozen=True)
class Size:
    """How much to make: `batches` over `epochs` in each of `processes` processes of each of `runs` runs."""

    batches: int
    epochs: int = 2
    callbacks: int = 2
    keys: int = 3
    runs: int = 1
    processes: int = 1
    changing: bool = False
    "Whether the first user callback adds the key `lr` at each batch's end."

    @property
    def callback_names(self) -> tuple[str, ...]:
        return (*(f"Mine{number}" for number in range(self.callbacks)), *BUILT_IN)

    @property
    def key_names(self) -> tuple[str, ...]:
        return ("loss", "accuracy", "mae", *(f"key{number}" for number in range(self.keys)))[: self.keys]

    @property
    def spans_per_batch(self) -> int:
        return 6 + 2 * len(self.callback_names)


def make(directory: Path, size: Size, seed: int = 0) -> list[Path]:
    """Make runs under `directory`; their folders, sorted by name."""
    folders = []
    for number in range(size.runs):
        name = f"run-{number:03}"
        folder = directory / name
        folder.mkdir(parents=True)
        facts = schema_run.new(str(folder), name, ["train.py", "--lr", "0.1"], "/usr/bin/python3", "0.0")
        for process in range(size.processes):
            _make_process(folder, name, process, size, (seed, number, process))
        schema_run.end(str(folder), facts, exit_code=0, signal=None)
        folders.append(folder)
    return folders


@dataclass(frozen=True)
class _Layout:
    """The spans of one batch in order of start: each from one elementary duration to another, below a parent."""

    starts: np.ndarray
    ends: np.ndarray
    parents: np.ndarray
    phases: list[str]
    names: list[str]
    positions: np.ndarray
    hooks: list[str | None]
    means: np.ndarray
    "Mean of each elementary duration in nanoseconds; the last is what the epoch's loop itself takes."


def _layout(callbacks: tuple[str, ...]) -> _Layout:
    means: list[float] = []
    rows: list[list[Any]] = []

    def gap(mean: float) -> None:
        means.append(mean)

    def leaf(phase: str, name: str, mean: float, parent: int, position: int = -1, hook: str | None = None) -> None:
        gap(600)
        rows.append([len(means), len(means) + 1, parent, phase, name, position, hook])
        means.append(mean)

    def hooks(hook: str, mean: float) -> None:
        gap(900)
        container = len(rows)
        rows.append([len(means), 0, 0, "hooks", f"CallbackList.{hook}", -1, None])
        for position, callback in enumerate(callbacks):
            leaf("hooks", f"{callback}.{hook}", mean * (1 + position), container, position, hook)
        gap(400)
        rows[container][1] = len(means)

    rows.append([0, 0, -1, "batch", "TensorFlowTrainer.fit", -1, None])
    gap(800)
    leaf("slice", "TFEpochIterator.enumerate_epoch", 9_000, 0)
    hooks("on_train_batch_begin", 700)
    leaf("function", "train_function", 420_000, 0)
    leaf("logs", "pythonify_logs", 6_000, 0)
    hooks("on_train_batch_end", 5_000)
    gap(700)
    rows[0][1] = len(means)
    gap(1_500)
    columns = list(zip(*rows, strict=True))
    return _Layout(
        np.array(columns[0]),
        np.array(columns[1]),
        np.array(columns[2]),
        list(columns[3]),
        list(columns[4]),
        np.array(columns[5]),
        list(columns[6]),
        np.array(means),
    )


def _codes(texts: Sequence[str | None], rows: int) -> tuple[np.ndarray, list[str]]:
    values = list(dict.fromkeys(text for text in texts if text is not None))
    codes = np.array([-1 if text is None else values.index(text) for text in texts], np.int32)
    return np.tile(codes, rows), values


def _constant(text: str, rows: int) -> tuple[np.ndarray, list[str]]:
    return np.zeros(rows, np.int32), [text]


def _epochs(size: Size) -> list[int]:
    """The number of batches of each epoch."""
    return [int(batches) for batches in np.diff(np.linspace(0, size.batches, size.epochs + 1).astype(int))]


def _chunks(size: Size) -> Iterator[tuple[int, int, int]]:
    """Epoch, first batch and number of batches of each stretch that is made at once."""
    for epoch, batches in enumerate(_epochs(size)):
        for first in range(0, batches, CHUNK):
            yield epoch, first, min(CHUNK, batches - first)


@dataclass
class _Loop:
    """One turn of the epoch loop."""

    epoch: int
    span: int
    start_ns: int
    duration_ns: int
    children_ns: int


def _make_process(folder: Path, run: str, process: int, size: Size, seed: tuple[int, ...]) -> None:
    """Make the durations twice: once to learn how long the loops are that come before their batches in the table."""
    layout = _layout(size.callback_names)
    begin = 1_760_000_000_000_000_000 + process * 1_000_000
    now = begin + 50_000_000
    loops: list[_Loop] = []
    for epoch, first, batches in _chunks(size):
        elementary = _elementary(layout, epoch, first, batches, seed)
        if first == 0:
            loops.append(_Loop(epoch, 2 + epoch + sum(_epochs(size)[:epoch]) * size.spans_per_batch, now, 0, 0))
            now += 30_000
        now += int(elementary.sum())
        loops[-1].duration_ns = now - loops[-1].start_ns
        loops[-1].children_ns += int(elementary[:, : layout.ends[0]].sum())
    with PartitionWriter(folder, run, process) as writer:
        _write_fit(writer, size, begin, now + 5_000_000 - begin, sum(loop.duration_ns for loop in loops))
        for epoch, first, batches in _chunks(size):
            loop = loops[epoch]
            if first == 0:
                _write_loop(writer, loop)
                now = loop.start_ns + 30_000
            elementary = _elementary(layout, epoch, first, batches, seed)
            edges = np.concatenate([[0], np.cumsum(elementary)]) + now
            inside = np.arange(batches)[:, None] * elementary.shape[1] + np.arange(elementary.shape[1] + 1)
            span = loop.span + 1 + first * size.spans_per_batch
            _write_batches(writer, size, layout, edges[inside], span, loop, first, np.random.default_rng(seed))
            now = int(edges[-1])


def _elementary(layout: _Layout, epoch: int, first: int, batches: int, seed: tuple[int, ...]) -> np.ndarray:
    random = np.random.default_rng((*seed, epoch, first))
    durations = layout.means * random.lognormal(0, 0.2, (batches, len(layout.means)))
    if epoch == 0 and first == 0:
        durations[0, layout.means.argmax()] += COMPILE_NS
    return np.rint(durations).astype(np.int64)


def _write_batches(
    writer: PartitionWriter,
    size: Size,
    layout: _Layout,
    edges: np.ndarray,
    span: int,
    loop: _Loop,
    first: int,
    random: np.random.Generator,
) -> None:
    epoch, parent = loop.epoch, loop.span
    batches, each = len(edges), size.spans_per_batch
    rows = batches * each
    starts, durations = edges[:, layout.starts], edges[:, layout.ends] - edges[:, layout.starts]
    children = np.zeros_like(durations)
    for index in range(1, each):
        children[:, layout.parents[index]] += durations[:, index]
    spans = span + np.arange(rows).reshape(batches, each)
    parents = spans[:, np.maximum(layout.parents, 0)]
    parents[:, 0] = parent
    numbers = first + np.arange(batches)
    positions = np.tile(layout.positions, batches)
    writer.append(
        "spans",
        {
            "fit": np.zeros(rows, np.int32),
            "span": spans.ravel(),
            "parent": parents.ravel(),
            "stage": _constant("train", rows),
            "epoch": np.full(rows, epoch),
            "batch": np.repeat(numbers, each),
            "phase": _codes(layout.phases, batches),
            "name": _codes(layout.names, batches),
            "start_ns": starts.ravel(),
            "duration_ns": durations.ravel(),
            "children_ns": children.ravel(),
            "thread": _constant("MainThread", rows),
            "status": _constant("ok", rows),
            "callback": _codes([n.split(".")[0] if h else None for n, h in zip(layout.names, layout.hooks)], batches),
            "position": np.ma.masked_array(positions, positions < 0),
            "hook": _codes(layout.hooks, batches),
            "site": np.tile(np.arange(each), batches),
        },
    )

    def phase_ns(phase: str) -> np.ndarray:
        inside = [i for i, p in enumerate(layout.phases) if p == phase and layout.parents[i] == 0]
        total: np.ndarray = durations[:, inside].sum(axis=1)
        return total

    values = {key: random.normal(1, 0.1, batches).astype(np.float32).astype(float) for key in size.key_names}
    extra = {"lr": np.full(batches, 0.1)} if size.changing else {}
    writer.append(
        "batches",
        {
            "fit": np.zeros(batches, np.int32),
            "stage": _constant("train", batches),
            "epoch": np.full(batches, epoch),
            "batch": numbers,
            "last_batch": numbers,
            "size": np.full(batches, 32),
            "span": spans[:, 0],
            "start_ns": starts[:, 0],
            "duration_ns": durations[:, 0],
            "slice_ns": phase_ns("slice"),
            "to_dense_ns": np.zeros(batches, np.int64),
            "function_ns": phase_ns("function"),
            "logs_ns": phase_ns("logs"),
            "hooks_ns": phase_ns("hooks"),
            "status": _constant("ok", batches),
            **{f"logs.{key}": array for key, array in (values | extra).items()},
        },
    )
    keys = [(key, -1, array) for key, array in values.items()] + [(key, 0, array) for key, array in extra.items()]
    container = layout.names.index("CallbackList.on_train_batch_end")
    rows = batches * len(keys)
    if rows:
        writer.append(
            "logs",
            {
                "fit": np.zeros(rows, np.int32),
                "stage": _constant("train", rows),
                "epoch": np.full(rows, epoch),
                "batch": np.repeat(numbers, len(keys)),
                "hook": _constant("on_train_batch_end", rows),
                "span": np.repeat(spans[:, container], len(keys)),
                "position": np.tile(np.array([position for _, position, _ in keys], np.int32), batches),
                "key": _codes([key for key, _, _ in keys], batches),
                "value": np.stack([array for _, _, array in keys], axis=1).ravel(),
                "removed": np.zeros(rows, bool),
            },
        )


def _write_spans(writer: PartitionWriter, rows: list[dict[str, object]]) -> None:
    same: dict[str, object] = {"fit": 0, "stage": "train", "thread": "MainThread", "status": "ok", "site": 0}
    writer.append("spans", {name: [(same | row)[name] for row in rows] for name in same | rows[0]})


def _write_loop(writer: PartitionWriter, loop: _Loop) -> None:
    _write_spans(writer, [{"parent": 0, "phase": "epoch", "name": "TensorFlowTrainer.fit"} | vars(loop)])


def _write_fit(writer: PartitionWriter, size: Size, begin: int, duration: int, loops: int) -> None:
    """Write the fit and what precedes its epochs, and the process."""
    prepare: dict[str, object] = {"start_ns": begin + 1_000_000, "duration_ns": PREPARE_NS, "children_ns": 0}
    fit: dict[str, object] = {"start_ns": begin, "duration_ns": duration, "children_ns": loops + PREPARE_NS}
    _write_spans(
        writer,
        [
            {"span": 0, "parent": None, "phase": "fit", "name": "TensorFlowTrainer.fit"} | fit,
            {"span": 1, "parent": 0, "phase": "prepare", "name": "TFEpochIterator"} | prepare,
        ],
    )
    writer.append(
        "fits",
        {
            "fit": [0],
            "method": ["fit"],
            "engine": ["keras-3"],
            "engine_version": ["3.15.1"],
            "start_ns": [begin],
            "duration_ns": [duration],
            "epochs": [size.epochs],
            "batches": [size.batches],
            "status": ["ok"],
            "thread": ["MainThread"],
            "span": [0],
        },
    )
    writer.append(
        "processes",
        {
            "pid": [4711],
            "parent_pid": [4710],
            "host": ["host"],
            "python": ["3.11.7"],
            "executable": ["/usr/bin/python3"],
            "argv": ['["train.py"]'],
            "start_ns": [begin - 1_000_000],
            "end_ns": [begin + duration + 1_000_000],
            "ending": ["closed"],
            "dropped_detail": [0],
            "dropped_batches": [0],
            "damaged_bytes": [0],
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    for name, default in (("batches", 1_000_000), ("epochs", 10), ("callbacks", 2), ("keys", 3), ("runs", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    make(given.directory, Size(given.batches, given.epochs, given.callbacks, given.keys, given.runs))
