"""The recorded hooks of one fit, in the order in which the engine called them, with their logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...schema.errors import FittraceError
from ...tables import TraceTables
from ...tables.database import row_dicts
from ...tables.sql_literals import literal
from .stand_ins import AbsentLogs, AbsentValue

TRAIN_BATCH_END = frozenset({"on_train_batch_end", "on_batch_end"})
"""The names of the hook at the end of a training batch. Keras 2.2 has only the second."""


@dataclass(frozen=True)
class RecordedHook:
    """One hook that the engine called."""

    name: str
    epoch: int | None
    batch: int | None
    number: int | None
    "Its first argument, which is the epoch or the batch; None if it has only logs."
    logs: Mapping[str, Any]
    "Its logs as the last recorded callback left them."

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The arguments of the hook. The logs are a copy."""
        logs = AbsentLogs(self.name) if isinstance(self.logs, AbsentLogs) else dict(self.logs)
        return (logs,) if self.number is None else (self.number, logs)


@dataclass(frozen=True)
class RecordedFit:
    """A recorded fit."""

    facts: Mapping[str, Any]
    "Its row in the table `fits`."
    hooks: tuple[RecordedHook, ...]
    "Its hooks, in order."
    params: Mapping[str, Any]
    "The arguments of `set_params`, as far as they are known."
    dropped: int
    "How many records were dropped because the disk could not keep up."

    @property
    def epochs(self) -> list[int]:
        """The epochs that the fit began, in order."""
        return [hook.number for hook in self.hooks if hook.name == "on_epoch_begin" and hook.number is not None]

    @property
    def numbers(self) -> list[str]:
        """The keys whose values in logs are numbers."""
        return sorted(self._keys(absent=False))

    @property
    def texts(self) -> list[str]:
        """The keys whose values in logs are not numbers. Only a text of them was recorded."""
        return sorted(self._keys(absent=True))

    def _keys(self, absent: bool) -> set[str]:
        logs = (hook.logs for hook in self.hooks if not isinstance(hook.logs, AbsentLogs))
        return {key for each in logs for key, value in each.items() if isinstance(value, AbsentValue) is absent}


def read_fit(trace: TraceTables, fit: int, process: int | None = None, run: str | None = None) -> RecordedFit:
    """Read the hooks of a fit. Raises `FittraceError` if there is no such fit, or more than one."""
    fits = trace.fits()
    found = fits[fits["fit"] == fit]
    found = found if process is None else found[found["process"] == process]
    found = found if run is None or "run" not in found else found[found["run"] == run]
    if len(found) != 1:
        several = f"{len(found)} fits have the number {fit}; give process, and run in a folder of runs, too"
        none = f"no fit {fit}" + ("" if process is None else f" in process {process}") + "; `trace.fits()` lists them"
        raise FittraceError(f"{trace.path}: {several if len(found) else none}")
    facts = found.iloc[0].to_dict()
    where = f"process = {int(facts['process'])}"
    if "run" in facts:
        where += f" AND run = {literal(str(facts['run']))}"
    of_fit = f"fit = {int(fit)} AND {where}"
    batches = row_dicts(trace.relation(f"SELECT * FROM batches WHERE {of_fit} ORDER BY start_ns"))
    calls = row_dicts(trace.relation(f"SELECT * FROM spans WHERE {of_fit} AND callback IS NULL AND hook IS NOT NULL"))
    hooks = _in_order(calls, batches, _logs(trace, facts))
    dropped = row_dicts(
        trace.relation(f"SELECT dropped_detail + dropped_batches AS records FROM processes WHERE {where}")
    )
    return RecordedFit(facts, hooks, _params(hooks, batches), sum(row["records"] for row in dropped))


def _logs(trace: TraceTables, facts: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """By the number of the span of each `CallbackList.on_*`: its logs as the last callback left them."""
    rows = trace.logs()
    for name in ("run", "process", "fit"):
        rows = rows[rows[name] == facts[name]] if name in facts else rows
    found: dict[int, dict[str, Any]] = {}
    columns = (rows[name].tolist() for name in ("span", "key", "value", "text"))
    for span, key, value, text in zip(*columns, strict=True):
        found.setdefault(span, {})[key] = AbsentValue(key, text) if isinstance(text, str) else value
    return found


def _in_order(
    calls: list[dict[str, Any]], batches: list[dict[str, Any]], logs: dict[int, dict[str, Any]]
) -> tuple[RecordedHook, ...]:
    """The hooks in the order in which callbacks see them.

    An engine leaves out the hooks of batches if no callback overrides them. So a batch without them gets them here,
    without logs. A hook that a thread pool called comes at the end of its batch.

    - `calls`: the spans of `CallbackList.on_*`.
    - `batches`: the rows of the fit's batches.
    - `logs`: the logs of each call, by the number of its span.
    """
    batch_rows = {(row["stage"], row["epoch"], row["batch"]): row for row in batches}
    # Each hook with its time, and whether it begins something: of two at the same time, that one comes last.
    timed: list[tuple[int, bool, RecordedHook]] = []
    seen = set()
    for row in calls:
        name, key = row["hook"], (row["stage"], row["epoch"], row["batch"])
        batch = batch_rows.get(key)
        begins = name.endswith("_begin")
        time = row["start_ns"] if row["parent"] is not None or batch is None else _end(batch)
        number = row["epoch"] if "_epoch_" in name else None
        if "batch_" in name:
            seen.add((*key, begins))
            number = row["batch"] if begins or batch is None else batch["last_batch"]
        timed.append((time, begins, RecordedHook(name, row["epoch"], row["batch"], number, logs.get(row["span"], {}))))
    names = {hook.name for *_, hook in timed}
    stages = {stage for stage in ("train", "test", "predict") if f"on_{stage}_begin" in names}
    for (stage, epoch, number), batch in batch_rows.items():
        for begins in (True, False):
            if stage not in stages or (stage, epoch, number, begins) in seen or not (begins or batch["status"] == "ok"):
                continue
            name = f"on_{stage}_batch_{'begin' if begins else 'end'}"
            argument = number if begins else batch["last_batch"]
            hook = RecordedHook(name, epoch, number, argument, AbsentLogs(name))
            timed.append((batch["start_ns"] if begins else _end(batch), begins, hook))
    return tuple(hook for *_, hook in sorted(timed, key=lambda item: item[:2]))


def _end(batch: dict[str, Any]) -> int:
    return int(batch["start_ns"] + batch["duration_ns"])


def _params(hooks: tuple[RecordedHook, ...], batches: list[dict[str, Any]]) -> dict[str, Any]:
    """The arguments of `set_params`, as far as the run went. They have the names of all engines."""
    train = [row for row in batches if row["stage"] == "train"]
    epochs = [hook.number for hook in hooks if hook.name == "on_epoch_begin" and hook.number is not None]
    samples: dict[int | None, list[int | None]] = {}
    for row in train:
        samples.setdefault(row["epoch"], []).append(row["size"])
    whole = [sum(size or 0 for size in sizes) for sizes in samples.values() if None not in sizes]
    ends = [hook.logs for hook in hooks if hook.name == "on_epoch_end"]
    return {
        "verbose": 0,
        "epochs": max(epochs) + 1 if epochs else None,
        "steps": max(row["last_batch"] for row in train) + 1 if train else None,
        "samples": max(whole) if whole else None,
        "batch_size": train[0]["size"] if train else None,
        "do_validation": any(row["stage"] == "test" for row in batches),
        "metrics": list(ends[0]) if ends else [],
    }
