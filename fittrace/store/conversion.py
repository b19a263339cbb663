"""Converting: a run's journals into its Parquet tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..schema.sampled_batches import OFF
from .derive.derivation import Derivation
from .derive.emit_rows import Emitter
from .derive.program import write_program
from .derive.sampled_batches import SampledBatches
from .journal.reader import Journal
from .parquet.partition_writer import PartitionWriter
from .parquet.sink import Sink
from .run_files import Progress, clock_ns_of, journals, remove_journals, started_ns


def settle(directory: Path, run: str, progress: Progress = lambda done, size: None) -> None:
    """Write the tables of a run that is over into its own folder `directory`, and remove the journals.

    A journal of which not all could be read stays. Raises `OSError` where the disk refuses.
    """
    if convert(directory, run, directory, running=False, progress=progress):
        remove_journals(directory)


def convert(directory: Path, run: str, into: Path, running: bool, progress: Progress = lambda done, size: None) -> bool:
    """Write the tables of the run in `directory` under `into`; whether all of its journals could be read.

    `running` says that the processes still write. Raises `OSError` where the disk refuses; then the partition of that
    process is not there at all.
    """
    found = journals(directory)
    size = sum(path.stat().st_size for path in found)
    before, complete = 0, True
    sources: set[str] = set()
    for process, path in enumerate(found):
        with PartitionWriter(into, run, process) as writer:
            complete &= derive(path, writer, running, sources, partial(_tell, progress, before, size))
        before += path.stat().st_size
    if not found:
        with PartitionWriter(into, run, 0):
            pass  # empty tables, so that a run that never trained opens like any other
    return complete


def _tell(progress: Progress, before: int, size: int, done: int) -> None:
    progress(before + done, size)


def derive(
    path: Path, writer: Sink, running: bool, sources: set[str], progress: Callable[[int], None] = lambda done: None
) -> bool:
    """Hand the rows that one journal tells to `writer`; whether all of it could be read. What a dying process left
    unfinished is no part of it.

    `sources` are those that earlier processes have told.
    """
    journal = Journal(path)
    windows = journal.windows()
    chunks = next(windows, None)
    facts = journal.facts or {}
    start_ns, clock_ns = facts.get("time_ns", started_ns(path)), facts.get("clock_ns", clock_ns_of(path))
    definitions = journal.definitions
    shift_ns = start_ns - clock_ns
    sampled = SampledBatches(journal.batch_metadata, writer, shift_ns, journal.allowance)
    derivation = Derivation(definitions, journal.orders, Emitter(definitions, writer, shift_ns), sampled)
    while chunks is not None:
        derivation.window(chunks, journal.position)
        progress(journal.position)
        chunks = next(windows, None)
    derivation.finish()
    write_program(definitions, writer, derivation.sites, sources)
    damaged = journal.damage.altered
    notes = list(dict.fromkeys(definitions.notes))
    if damaged or derivation.damaged:
        message = "%d bytes and %d records of the journal of process %s are damaged; what they held is missing"
        notes.append(("damaged", message % (damaged, derivation.damaged, facts.get("pid", "?"))))
    if any(definitions.dropped.values()):
        message = (
            "the disk could not keep up: %d records of inner phases and %d of batches, hooks and logs were dropped"
        )
        notes.append(("dropped", message % (definitions.dropped["detail"], definitions.dropped["batches"])))
    if not running:
        notes += [("run_metadata", message) for message in _of_sampling(sampled, facts.get("run_metadata", OFF))]
    writer.append("notes", {"kind": [kind for kind, _ in notes], "message": [message for _, message in notes]})
    latest = max(derivation.latest, clock_ns) + shift_ns
    ending = "closed" if definitions.closed else "running" if running else "cut"
    writer.append(
        "processes",
        {
            **{key: [facts.get(key, 0)] for key in ("pid", "parent_pid")},
            "rank": [facts.get("rank")],
            **{key: [facts.get(key, "unknown")] for key in ("host", "python", "executable")},
            "argv": [json.dumps(facts.get("argv", []))],
            "start_ns": [start_ns],
            "end_ns": [latest],
            "ending": [ending],
            "dropped_detail": [definitions.dropped["detail"]],
            "dropped_batches": [definitions.dropped["batches"]],
            "damaged_bytes": [damaged],
        },
    )
    return not damaged and not derivation.damaged


def _of_sampling(sampled: SampledBatches, asked: str) -> Iterator[str]:
    """What has to be said of the batches whose ops were asked for."""
    if never := sampled.never_came(asked):
        yield f"no ops of the batches {', '.join(never)} that were asked for: none of them came, or none was sampled"
    if sampled.unreadable:
        yield f"no ops of {sampled.unreadable} batches: what TensorFlow told of them is damaged"
    if sampled.unsound:
        yield f"{sampled.unsound} ops were left out: they have no time that can be"
