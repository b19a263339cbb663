"""TensorBoard's event files: the numbers in the logs as scalars, named as Keras' own callback names them."""

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
_FOLDERS = {"train": "train", "test": "validation", "predict": "predict"}


def write(trace: TraceTables, folder: Path) -> int:
    """Write the scalars of a trace under `folder`, its log directory; how many there were.

    `train` has `epoch_loss` and `batch_loss`, `validation` those of validation. Where there are several runs, processes
    or fits, each has folders of its own. Raises `FittraceError` where TensorBoard is not installed. TensorFlow is not
    needed, and not imported.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise FittraceError("tensorboard: not installed; pip install 'fittrace[tensorboard]'")
    scalars = 0
    for run in trace.runs:
        one = alone(run)
        facts = facts_of(one)
        with _Files(folder) as files:
            for point in points_of(one):
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
        """Write one scalar into the file for its stage, below the folders `parts`."""
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
            # The name that TensorBoard looks for; the same again for the same trace, so that no run is there twice.
            name = f"events.out.tfevents.{time_ns // 1_000_000_000:010}.fittrace.{os.path.basename(folder)}.v2"
            file = self._files[folder] = RecordWriter((folder / name).open("wb"))
            first = Event(wall_time=time_ns / 1e9, file_version="brain.Event:2")
            file.write(first.SerializeToString())
        return self._files[folder]
