"""TensorBoard's event files: the numbers in the logs as scalars, with the names that Keras' own callback uses."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema.errors import FittraceError
from ..schema.plain_names import plain
from ..tables import TraceTables
from .counters import Point, points_of
from .fit_facts import alone, facts_of

if TYPE_CHECKING:
    from tensorboard.summary.writer.record_writer import RecordWriter

_VALIDATION = "val_"
"""Keras' prefix for the keys of validation in the logs of an epoch."""
_FOLDERS = {"train": "train", "test": "validation", "predict": "predict"}
"""The folder of each stage, as Keras' own callback names it."""


def write(trace: TraceTables, folder: Path) -> int:
    """Write the scalars of a trace under `folder`, TensorBoard's log directory. Returns the number of scalars.

    The folder `train` has scalars such as `epoch_loss` and `batch_loss`; `validation` has those of validation. If there
    are several runs, processes or fits, each has folders of its own. Raises `FittraceError` if TensorBoard is not
    installed. TensorFlow is not imported.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise FittraceError("tensorboard: not installed; pip install 'fittrace[tensorboard]'")
    scalars = 0
    for run in trace.runs:
        tables = alone(run)
        facts = facts_of(tables)
        with _Files(folder) as files:
            for point in points_of(tables):
                parts = []
                parts += [run.name] if len(trace.runs) > 1 else []
                parts += [f"process-{point.process}"] if len(facts.processes) > 1 else []
                parts += [f"fit-{point.fit}"] if len(facts.fits) > 1 else []
                files.add(point, parts)
                scalars += 1
    return scalars


class _Files:
    """The event files of one run, one for each folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Path, RecordWriter] = {}

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def add(self, point: Point, parts: list[str]) -> None:
        """Write a scalar into the file of its stage. `parts` are the folders above the stage's folder."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.scalar.metadata import create_summary_metadata

        key, stage = point.key, _FOLDERS.get(point.stage, point.stage)
        if point.per == "epoch" and key.startswith(_VALIDATION):
            key, stage = key[len(_VALIDATION) :], "validation"
        below = (plain(part, "of a run, process, fit or stage") for part in (*parts, stage))
        file = self._file(self._folder.joinpath(*below), point.time_ns)
        value = Summary.Value(tag=f"{point.per}_{key}", simple_value=point.value)
        value.metadata.CopyFrom(create_summary_metadata("", ""))
        event = Event(wall_time=point.time_ns / 1e9, step=point.step, summary=Summary(value=[value]))
        file.write(event.SerializeToString())

    def _file(self, folder: Path, time_ns: int) -> RecordWriter:
        if folder not in self._files:
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.summary.writer.record_writer import RecordWriter

            folder.mkdir(parents=True, exist_ok=True)
            # TensorBoard looks for this pattern. The name depends on the trace alone, so a second export replaces the
            # first instead of standing beside it.
            name = f"events.out.tfevents.{time_ns // 1_000_000_000:010}.fittrace.{os.path.basename(folder)}.v2"
            file = self._files[folder] = RecordWriter((folder / name).open("wb"))
            first = Event(wall_time=time_ns / 1e9, file_version="brain.Event:2")
            file.write(first.SerializeToString())
        return self._files[folder]
