"""Converting: a run's journals into its Parquet tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .derive import Derivation
from .emit import Emitter
from .files import Progress, journals, started_ns
from .journal import Journal
from .parquet import PartitionWriter


def convert(directory: Path, run: str, into: Path, running: bool, progress: Progress = lambda done, size: None) -> None:
    """Write the tables of the run in `directory` under `into`. The journals stay.

    `running` says that the processes still write. Raises `OSError` where the disk refuses; then the partition of that
    process is not there at all.
    """
    found = journals(directory)
    size = sum(path.stat().st_size for path in found)
    before = 0
    for process, path in enumerate(found):
        with PartitionWriter(into, run, process) as writer:
            before += _partition(path, writer, running, lambda done: progress(done, size), before)
    if not found:
        with PartitionWriter(into, run, 0):
            pass  # empty tables, so that a run that never trained opens like any other


def _partition(path: Path, writer: PartitionWriter, running: bool, progress: Callable[[int], None], before: int) -> int:
    """Convert one journal. `before` bytes of others are converted already; returns the bytes of this one."""
    journal = Journal(path)
    windows = journal.windows()
    chunks = next(windows, None)
    facts = journal.facts or {}
    start_ns, clock_ns = int(facts.get("time_ns", started_ns(path))), int(facts.get("clock_ns", 0))
    definitions = journal.definitions
    derivation = Derivation(definitions, Emitter(definitions, writer, start_ns - clock_ns))
    while chunks is not None:
        derivation.window(chunks)
        progress(before + journal.position)
        chunks = next(windows, None)
    derivation.finish()
    sites = [site for site in definitions.sites if site is not None and site.get("file")]
    writer.append(
        "sites",
        {
            "site": [int(site["site"]) for site in sites],
            **{key: [str(site[key]) for site in sites] for key in ("engine", "file", "function", "kind")},
            "line": [int(site["line"]) for site in sites],
            "phase": [site.get("phases", [None])[0] for site in sites],
            "name": [site.get("names", [None])[0] for site in sites],
        },
    )
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
    writer.append("notes", {"kind": [kind for kind, _ in notes], "message": [message for _, message in notes]})
    latest = max(derivation.latest, clock_ns) + start_ns - clock_ns
    ending = "closed" if definitions.closed else "running" if running else "cut"
    writer.append(
        "processes",
        {
            "pid": [int(facts.get("pid", 0))],
            "parent_pid": [int(facts.get("parent_pid", 0))],
            "rank": [facts["rank"] if isinstance(facts.get("rank"), int) else None],
            **{key: [str(facts.get(key, "unknown"))] for key in ("host", "python", "executable")},
            "argv": [json.dumps(facts.get("argv", []))],
            "start_ns": [start_ns],
            "end_ns": [latest],
            "ending": [ending],
            "dropped_detail": [definitions.dropped["detail"]],
            "dropped_batches": [definitions.dropped["batches"]],
            "damaged_bytes": [damaged],
        },
    )
    return journal.position
