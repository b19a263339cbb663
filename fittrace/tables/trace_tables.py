"""The tables of a trace, as DataFrames and for SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..schema.plain_names import plain
from ..store.open_runs import open_runs
from ..store.run_files import RunFiles
from . import represent, run_metadata
from .batch_samples import Batch, Indices, samples_of
from .computed_tables import LOGS_COLUMNS, VIEWS
from .data_frames import NULLABLE, encoded, frame, in_order
from .database import Database, read
from .hook_logs import final as final_logs
from .hook_logs import of_hooks as states_of_hooks
from .query_errors import AmbiguousRuns
from .stored_tables import ParquetTables, StoredTables

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa
    from typing_extensions import Self


class TraceTables:
    """One run, or all runs of a folder as one set of tables. `TraceTables.open` makes it.

    Every table is a pandas DataFrame in the order of time: `fits`, `spans`, `batches`, `hooks`, `logs`, `samples`,
    `stops`, `memory`, `values`, `processes` and `notes`; what TensorFlow ran, `sampled_batches`, `ops` and
    `data_pipeline`; and what the control flow is made of: `sites`, `functions`, `nodes`, `sources`, `paths` and `flow`.
    Times are Unix nanoseconds and durations nanoseconds, as `int64`; numbers that may be missing are `Int64`. Each has
    the column `process`, and first the column `run` where a folder of runs was opened. `sql` knows tables of the same
    names.

    >>> trace = Trace.open("traces/")  # doctest: +SKIP
    >>> trace.batches().groupby(["run", "epoch"]).duration_ns.median()  # doctest: +SKIP
    """

    def __init__(self, path: Path, runs: list[RunFiles], stored: StoredTables | None = None) -> None:
        """Make the tables of `runs`.

        - `path`: the path of the trace, as the user gave it.
        - `runs`: the runs at that path.
        - `stored`: the source of the stored tables. None: the Parquet files of `runs`.
        """
        twice = [name for name, times in Counter(run.name for run in runs).items() if times > 1]
        if twice:
            folders = ", ".join(str(run.directory) for run in runs if run.name == twice[0])
            raise AmbiguousRuns(f"{path}: run {twice[0]} lies there more than once ({folders}); open one at a time")
        self.path = path
        self.runs = tuple(runs)
        #: Whether a folder of runs was opened, and the tables have the column `run`.
        self.is_folder = not (len(runs) == 1 and runs[0].directory.resolve() == path.resolve())
        self._database = Database(stored or ParquetTables(runs), with_run=self.is_folder)

    @classmethod
    def open(cls, path: str | PathLike[str], progress: Callable[[int, int], None] = lambda done, size: None) -> Self:
        """Open the run at `path`, or all runs directly inside that folder.

        A run that died or still goes on opens too, with what it has recorded. `progress` is then called with the
        bytes of its journals that are read, and with their number in all. Raises `FittraceError` if there is no trace,
        or if this version cannot read it.
        """
        path = Path(path)
        return cls(path, open_runs(path, progress))

    def fits(self) -> pd.DataFrame:
        """The calls of `fit`, and of `evaluate` and `predict` outside of it."""
        return self._frame("fits")

    def spans(self) -> pd.DataFrame:
        """All timed intervals. The `self_ns` of a fit's spans add up to the fit's `duration_ns`."""
        return self._frame("spans")

    def batches(self) -> pd.DataFrame:
        """The turns of the batch loops, with the time of each phase and the logs at each batch's end."""
        return self._frame("batches")

    def hooks(self) -> pd.DataFrame:
        """The calls of callbacks' hooks, with the logs before and after.

        `logs_before` and `logs_after` are dicts: a number is a float, anything else the text that was recorded of it.
        `changed` lists the keys that this callback added, altered or removed. Rows that show the same state share the
        dict, so copy it before changing it.
        """
        # NumPy computes the logs many times faster than SQL, and rows share their dicts.
        columns = "* EXCLUDE (seq, logs_before, logs_after, changed)"
        hooks = in_order(encoded(read(self._database.table("hooks", columns))), VIEWS["hooks"].order)
        states = states_of_hooks(hooks, self.stored_logs())
        result = frame(hooks, NULLABLE)
        own = [name for name in ("run", "process", "fit") if name in result]
        result.insert(len(own), "seq", result.groupby(own, observed=True).cumcount())
        after_thread = list(result.columns).index("thread") + 1
        result.insert(after_thread, "logs_before", states.before)
        result.insert(after_thread + 1, "logs_after", states.after)
        result.insert(after_thread + 2, "changed", states.changed)
        return result

    def logs(self) -> pd.DataFrame:
        """The logs as each `CallbackList.on_*` left them, one key a row: `value` where it is a number, else `text`."""
        logs = final_logs(self.stored_logs())
        shown = [name for name in LOGS_COLUMNS if name != "run" or self.is_folder]
        return frame(in_order(encoded(logs.select(shown)), VIEWS["logs"].order), NULLABLE)

    def samples(self) -> pd.DataFrame:
        """The order of each epoch's samples, as ranges. `batch_samples` gives the samples of a batch."""
        return self._frame("samples")

    def batch_samples(
        self,
        fit: int,
        epoch: int | None,
        batch: int,
        *,
        stage: str | None = None,
        process: int | None = None,
        run: str | None = None,
    ) -> Indices:
        """The samples of a batch: their indices in the data, in the order in which the batch had them.

        - `fit`: the number of the fit in its process.
        - `epoch`: the number of the epoch. None outside of an epoch loop, as in `evaluate` alone.
        - `batch`: the number of the batch.
        - `stage`: `train`, `test` or `predict`. None: the fit's own, which is `train` for a call of `fit`. Its
          validation is `test`.
        - `process`, `run`: needed if several processes or runs have such a batch.

        Engines that loop over arrays record their samples; those on `tf.data` do not. Raises `UnknownSamples`, with the
        reason, if the trace does not have them.

        >>> trace.batch_samples(fit=0, epoch=2, batch=5)  # doctest: +SKIP
        array([17, 803,  4, 221])
        """
        return samples_of(self._database, Batch(fit, epoch, batch, stage, process, run))

    def stops(self) -> pd.DataFrame:
        """The changes of the model's `stop_training`, and the callback's hook that made each."""
        return self._frame("stops")

    def sampled_batches(self) -> pd.DataFrame:
        """The sampled batches, of which TensorFlow reported its ops, with their times of waiting and computing.

        `fittrace run --run-metadata` says which training batches are sampled; by default none are.
        """
        return self._frame("sampled_batches")

    def ops(self) -> pd.DataFrame:
        """The ops of the sampled batches. They have the spans' clock, and lie inside their batch's `function` span.

        An op on a GPU has `on_device` set. It may end after that span, because the engine does not wait for it.
        """
        return self._frame("ops")

    def data_pipeline(self) -> pd.DataFrame:
        """The work of the stages of `tf.data` while sampled batches ran, including what ran in parallel with them."""
        return self._frame("data_pipeline")

    def run_metadata(self, fit: int, epoch: int, batch: int, process: int = 0, run: str | None = None) -> Any:
        """The `tf.compat.v1.RunMetadata` of a sampled batch.

        - `fit`, `epoch`, `batch`, `process`: the numbers of the batch and of what it is in.
        - `run`: the name of the run, if a folder of runs was opened.

        With an engine that runs sessions, TensorFlow filled it. With an engine that runs a `tf.function`, it is made
        from TensorFlow's profile: `step_stats` has the name, type, device, thread, start and duration of each op, but
        no memory, shapes or scheduling times. Raises `NotSampled` if the batch was not sampled, and `FittraceError` if
        TensorFlow is not installed.

        >>> trace.run_metadata(fit=0, epoch=0, batch=1).step_stats.dev_stats  # doctest: +SKIP
        """
        batch_key: dict[str, Any] = {"fit": fit, "epoch": epoch, "batch": batch, "process": process}
        batch_key |= {"run": run} if run else {}
        return run_metadata.as_tensorflows_own(run_metadata.of_batch(self._database, batch_key))

    def run_metadata_files(self) -> Iterator[tuple[str, bytes]]:
        """A file name and a serialised `RunMetadata` for each sampled batch. This does not need TensorFlow."""
        for batch, data in run_metadata.of_all(self._database):
            process = f"process-{batch['process']}-" if batch["process"] else ""
            folder = plain(batch["run"], "of the run") + "/" if self.is_folder else ""
            name = f"{process}fit-{batch['fit']}-epoch-{batch['epoch']}-batch-{batch['batch']}.pb"
            yield folder + plain(name, "of a batch"), data

    def processes(self) -> pd.DataFrame:
        """The processes that were traced."""
        return self._frame("processes")

    def sites(self) -> pd.DataFrame:
        """The places in the engine's source that recorded."""
        return self._frame("sites")

    def notes(self) -> pd.DataFrame:
        """Notes to the reader of the trace: faults, dropped or damaged records, unknown engines."""
        return self._frame("notes")

    def memory(self) -> pd.DataFrame:
        """The memory of the processes, as hooks begin and as each callback's hook ends: `resident_bytes`, `blocks`.

        `callback` is missing where the memory was read before the first callback. The table is empty in older traces,
        with `--memory off`, and where the system does not tell a process its memory.
        """
        return self._frame("memory")

    def values(self) -> pd.DataFrame:
        """The arguments of the engine's functions, one argument a row."""
        return self._frame("values")

    def functions(self) -> pd.DataFrame:
        """The functions of the engine whose control flow was recorded."""
        return self._frame("functions")

    def nodes(self) -> pd.DataFrame:
        """The statements and sites of those functions, and the successors of each."""
        return self._frame("nodes")

    def sources(self) -> pd.DataFrame:
        """The source files of the engine, as they ran."""
        return self._frame("sources")

    def paths(self) -> pd.DataFrame:
        """The paths that control took through turns of the engine's loops."""
        return self._frame("paths")

    def flow(self) -> pd.DataFrame:
        """The paths that control took, by time."""
        return self._frame("flow")

    def sql(self, query: str) -> pd.DataFrame:
        """The answer to one SQL `SELECT` over the tables of the trace, in DuckDB's SQL.

        Raises `QueryError` for SQL that is wrong, or that does anything but read these tables.

        >>> trace.sql("SELECT phase, sum(self_ns) FROM spans GROUP BY phase ORDER BY 2 DESC")  # doctest: +SKIP
        """
        return frame(read(self.relation(query)))

    def relation(self, query: str) -> duckdb.DuckDBPyRelation:
        """The answer to `query`, as `sql` gives it, before it is read: a DuckDB relation, for answers of any size."""
        return self._database.query(query)

    def stored_logs(self, condition: str = "true") -> pa.Table:
        """The logs as they are stored, in the order of writing within each process. `condition` is SQL."""
        return read(self._database.stored("logs", f"WHERE {condition}"))

    def _frame(self, name: str) -> pd.DataFrame:
        return frame(in_order(encoded(read(self._database.table(name))), VIEWS[name].order), NULLABLE)

    def __repr__(self) -> str:
        return represent.as_text(self.path, self.runs if self.is_folder else None, self._database)

    def _repr_html_(self) -> str:
        return represent.as_html(self.path, self.runs if self.is_folder else None, self._database)
