"""The derivation of one process, set up from the facts of its journal."""

from __future__ import annotations

from dataclasses import dataclass

from ..journal.reader import Journal
from ..parquet.sink import Sink
from ..run_files import clock_ns_of, started_ns
from .derivation import Derivation
from .emit_rows import Emitter
from .sampled_batches import SampledBatches


@dataclass(frozen=True)
class ProcessDerivation:
    """What turns the records of one process into rows.

    - `derivation`: takes the records, window by window.
    - `sampled`: derives the rows of sampled batches.
    - `start_ns`: when capture began, in Unix nanoseconds.
    - `clock_ns`: the process' clock at that moment.
    """

    derivation: Derivation
    sampled: SampledBatches
    start_ns: int
    clock_ns: int

    @property
    def shift_ns(self) -> int:
        """Added to the process' clock, it gives Unix time."""
        return self.start_ns - self.clock_ns

    @classmethod
    def of(cls, journal: Journal, sink: Sink) -> ProcessDerivation:
        """The derivation of a journal whose facts have been read. `sink` takes its rows."""
        facts = journal.facts or {}
        # Where the facts are damaged, the journal's name has the two moments.
        start_ns = facts.get("time_ns", started_ns(journal.path))
        clock_ns = facts.get("clock_ns", clock_ns_of(journal.path))
        sampled = SampledBatches(journal.batch_metadata, sink, start_ns - clock_ns, journal.allowance)
        emitter = Emitter(journal.definitions, sink, start_ns - clock_ns)
        return cls(Derivation(journal.definitions, journal.orders, emitter, sampled), sampled, start_ns, clock_ns)
