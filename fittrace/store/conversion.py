"""Converting: a run's journals into its Parquet tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ..schema.batches_to_sample import OFF
from .converter_lock import only_converter
from .derive.process_derivation import ProcessDerivation
from .derive.program import write_program
from .derive.sampled_batches import SampledBatches
from .journal.reader import Journal
from .parquet.partition_writer import PartitionWriter
from .parquet.sink import Sink
from .run_files import (
    Progress,
    journals,
    processes_with_tables,
    remove_journals,
    remove_leftovers,
)


def write_tables(directory: Path, run: str, progress: Progress = lambda done, size: None) -> bool:
    """Write the tables of a run that has ended into its own folder, and remove its journals.

    If a journal is damaged, all journals stay. A run with tables and no journals stays as it is.

    - `directory`: the run's folder.
    - `run`: the run's name.
    - `progress`: gets the bytes of journals that are converted, and those of all.

    Returns whether it wrote the tables. Raises as `only_converter`, and `OSError` where the tables cannot be written.
    """
    with only_converter(directory) as paths:
        if not paths and processes_with_tables(directory):
            remove_leftovers(directory)
            return False
        complete = convert(paths, run, directory, running=False, progress=progress)
        # The run may have got a process, and so a journal, meanwhile. Then it has to be converted again.
        if complete and journals(directory) == paths:
            remove_journals(directory)
        return True


def convert(
    paths: Sequence[Path], run: str, into: Path, running: bool, progress: Progress = lambda done, size: None
) -> bool:
    """Write the tables of a run. Returns whether all records of its journals could be read.

    Raises `OSError` where the tables cannot be written. Then the process at which it stopped has no partition at all.

    - `paths`: the run's journals, as `journals` gives them.
    - `run`: the run's name.
    - `into`: the folder for the tables.
    - `running`: whether processes of the run still write.
    - `progress`: gets the bytes of journals that are converted, and those of all.
    """
    size = sum(path.stat().st_size for path in paths)
    before, complete = 0, True
    sources: set[str] = set()
    for process, path in enumerate(paths):
        with PartitionWriter(into, run, process) as writer:
            complete &= derive(path, writer, running, sources, partial(_report, progress, before, size))
        before += path.stat().st_size
    if not paths:
        with PartitionWriter(into, run, 0):
            pass  # empty tables: a run that never trained opens like any other
    return complete


def _report(progress: Progress, before: int, size: int, done: int) -> None:
    """Report `done` bytes of a journal that follows `before` bytes of others, out of `size` in all."""
    progress(before + done, size)


def derive(
    path: Path, sink: Sink, running: bool, sources: set[str], progress: Callable[[int], None] = lambda done: None
) -> bool:
    """Append the rows of one journal to `sink`. Returns whether all of its records could be read.

    A block that a dying process left incomplete does not count as damage.

    - `path`: the journal.
    - `sink`: takes the rows.
    - `running`: whether the process still writes.
    - `sources`: the SHA-256 of sources that earlier processes have written. Those of this one are added.
    - `progress`: gets the bytes of the journal that are read.
    """
    journal = Journal(path)
    windows = journal.windows()
    chunks = next(windows, None)  # reads the facts, too
    facts = journal.facts or {}
    process = ProcessDerivation.of(journal, sink)
    derivation, definitions = process.derivation, journal.definitions
    while chunks is not None:
        derivation.window(chunks, journal.position)
        progress(journal.position)
        chunks = next(windows, None)
    derivation.finish()
    write_program(definitions, sink, derivation.sites, sources)
    damaged = journal.damage.altered
    notes = list(_notes(journal, derivation.damaged))
    if not running:
        notes += [
            ("run_metadata", message) for message in _sampling_notes(process.sampled, facts.get("run_metadata", OFF))
        ]
    sink.append("notes", {"kind": [kind for kind, _ in notes], "message": [message for _, message in notes]})
    latest = max(derivation.latest, process.clock_ns) + process.shift_ns
    ending = "closed" if definitions.closed else "running" if running else "cut"
    sink.append(
        "processes",
        {
            **{key: [facts.get(key, 0)] for key in ("pid", "parent_pid")},
            "rank": [facts.get("rank")],
            **{key: [facts.get(key, "unknown")] for key in ("host", "python", "executable")},
            "argv": [json.dumps(facts.get("argv", []))],
            "start_ns": [process.start_ns],
            "end_ns": [latest],
            "ending": [ending],
            "dropped_detail": [definitions.dropped["detail"]],
            "dropped_batches": [definitions.dropped["batches"]],
            "damaged_bytes": [damaged],
        },
    )
    return not damaged and not derivation.damaged


def _notes(journal: Journal, damaged_records: int) -> Iterator[tuple[str, str]]:
    """The notes of a process, as kind and message: what capture noted, and what is missing in the journal."""
    definitions = journal.definitions
    yield from dict.fromkeys(definitions.notes)
    if journal.damage.altered or damaged_records:
        pid = (journal.facts or {}).get("pid", "?")
        message = "%d bytes and %d records of the journal of process %s are damaged; what they held is missing"
        yield "damaged", message % (journal.damage.altered, damaged_records, pid)
    if any(definitions.dropped.values()):
        message = (
            "the disk could not keep up: %d records of inner phases and %d of batches, hooks and logs were dropped"
        )
        yield "dropped", message % (definitions.dropped["detail"], definitions.dropped["batches"])


def _sampling_notes(sampled: SampledBatches, asked: str) -> Iterator[str]:
    """Notes on missing ops. `asked` is the value of the option `--run-metadata`."""
    if never := sampled.never_came(asked):
        yield f"no ops of the batches {', '.join(never)} that were asked for: none of them came, or none was sampled"
    if sampled.unreadable:
        yield f"no ops of {sampled.unreadable} batches: TensorFlow's metadata of them is damaged"
    if sampled.unsound:
        yield f"{sampled.unsound} ops were left out: their times are impossible"
