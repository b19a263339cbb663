"""The hooks of one fit as they were recorded: in the order in which the engine passes them on, with their logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...schema.errors import FittraceError
from ...tables import TraceTables
from ...tables.sql_literals import literal
from .stand_ins import AbsentLogs, AbsentValue

TRAIN_BATCH_END = frozenset({"on_train_batch_end", "on_batch_end"})
"""What engines call the hook at a training batch's end: Keras 2.2 knows only the second."""


@dataclass(frozen=True)
class RecordedHook:
    """One hook that the engine passed on: its `name`, its place, the `number` that is its first argument (None where
    it has none), and its `logs` as the last recorded callback left them."""

    name: str
    epoch: int | None
    batch: int | None
    number: int | None
    logs: Mapping[str, Any]

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the hook is called with; the logs are the caller's own to change."""
        logs = AbsentLogs(self.name) if isinstance(self.logs, AbsentLogs) else dict(self.logs)
        return (logs,) if self.number is None else (self.number, logs)


@dataclass(frozen=True)
class RecordedFit:
    """A fit's facts, a row of `fits`; its `hooks` in order; `params`, what is known of what the engine gives to
    `set_params`; and how many records of it were `dropped`."""

    facts: Mapping[str, Any]
    hooks: tuple[RecordedHook, ...]
    params: Mapping[str, Any]
    dropped: int

    @property
    def epochs(self) -> list[int]:
        """The epochs that it began, in order."""
        return [hook.number for hook in self.hooks if hook.name == "on_epoch_begin" and hook.number is not None]

    @property
    def numbers(self) -> list[str]:
        """The keys whose values in logs are numbers."""
        return sorted(self._keys(absent=False))

    @property
    def texts(self) -> list[str]:
        """The keys whose values in logs were something else, of which only a text was recorded."""
        return sorted(self._keys(absent=True))

    def _keys(self, absent: bool) -> set[str]:
        logs = (hook.logs for hook in self.hooks if not isinstance(hook.logs, AbsentLogs))
        return {key for of in logs for key, value in of.items() if isinstance(value, AbsentValue) is absent}


def recorded(trace: TraceTables, fit: int, process: int | None = None, run: str | None = None) -> RecordedFit:
    """Fit number `fit` of `trace`. Raises `FittraceError` where there is none, or where several are meant."""
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
    mine = f"fit = {int(fit)} AND {where}"
    batches = _rows(trace, f"SELECT * FROM batches WHERE {mine} ORDER BY start_ns")
    passed = _rows(trace, f"SELECT * FROM spans WHERE {mine} AND callback IS NULL AND hook IS NOT NULL")
    hooks = _in_order(passed, batches, _logs(trace, facts))
    dropped = _rows(trace, f"SELECT dropped_detail + dropped_batches AS records FROM processes WHERE {where}")
    return RecordedFit(facts, hooks, _params(hooks, batches), sum(row["records"] for row in dropped))


def _logs(trace: TraceTables, facts: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """By the span of each `CallbackList.on_*`: its logs as the last callback left them."""
    rows = trace.logs()
    for name in ("run", "process", "fit"):
        rows = rows[rows[name] == facts[name]] if name in facts else rows
    found: dict[int, dict[str, Any]] = {}
    columns = (rows[name].tolist() for name in ("span", "key", "value", "text"))
    for span, key, value, text in zip(*columns, strict=True):
        found.setdefault(span, {})[key] = AbsentValue(key, text) if isinstance(text, str) else value
    return found


def _in_order(
    passed: list[dict[str, Any]], batches: list[dict[str, Any]], logs: dict[int, dict[str, Any]]
) -> tuple[RecordedHook, ...]:
    """The hooks in the order in which callbacks see them.

    An engine may leave out the hooks of batches where no callback has any use for them: a batch that has none is
    given them here, without logs. One that a pool of threads passed on has its place at its batch's end.
    """
    by_place = {(row["stage"], row["epoch"], row["batch"]): row for row in batches}
    placed: list[tuple[int, bool, RecordedHook]] = []
    seen = set()
    for row in passed:
        name, place = row["hook"], (row["stage"], row["epoch"], row["batch"])
        batch = by_place.get(place)
        begins = name.endswith("_begin")
        at = row["start_ns"] if row["parent"] is not None or batch is None else _end(batch)
        number = row["epoch"] if "_epoch_" in name else None
        if "batch_" in name:
            seen.add((*place, begins))
            number = row["batch"] if begins or batch is None else batch["last_batch"]
        placed.append((at, begins, RecordedHook(name, row["epoch"], row["batch"], number, logs.get(row["span"], {}))))
    stages = {stage for stage in ("train", "test", "predict") if any(h.name == f"on_{stage}_begin" for *_, h in placed)}
    for (stage, epoch, number), batch in by_place.items():
        for begins in (True, False):
            if stage not in stages or (stage, epoch, number, begins) in seen or not (begins or batch["status"] == "ok"):
                continue
            name = f"on_{stage}_batch_{'begin' if begins else 'end'}"
            argument = number if begins else batch["last_batch"]
            hook = RecordedHook(name, epoch, number, argument, AbsentLogs(name))
            placed.append((batch["start_ns"] if begins else _end(batch), begins, hook))
    return tuple(hook for *_, hook in sorted(placed, key=lambda item: item[:2]))


def _end(batch: dict[str, Any]) -> int:
    return int(batch["start_ns"] + batch["duration_ns"])


def _params(hooks: tuple[RecordedHook, ...], batches: list[dict[str, Any]]) -> dict[str, Any]:
    """What the engine gives to `set_params`, as far as the run went, by the names that all engines have for it."""
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


def _rows(trace: TraceTables, query: str) -> list[dict[str, Any]]:
    relation = trace.relation(query)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
