"""Applies rules to each fit of a trace. A rule that raises is reported, and the other rules still run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from ...tables import TraceTables, UnknownSamples
from ...tables.batch_samples import Indices
from ..code_line import CodeLine
from ..fit_key import FitKey, key_of
from ..hook_lines import HookLines, hook_lines
from ..rows_by_fit import RowsByFit
from .first_batches import first_batches
from .repeated_calls import repeated_calls
from .rule import Finding, Rule

_NO_ROWS: pd.DataFrame = pd.DataFrame()
_LOST_PROCESS: pd.Series = pd.Series({"dropped_batches": 0, "damaged_bytes": 1})
"""Stands for a row of `processes` that a damaged trace has lost: what it recorded is not whole."""
_TABLES = ("fits", "processes", "batches", "hooks", "spans", "stops", "values", "memory", "sites")


@dataclass(frozen=True)
class Found:
    """A finding with its origin.

    - `rule`: the rule that found it.
    - `finding`: what the rule found.
    - `run`: the name of the run, in a folder of runs; else None.
    - `process`, `fit`: the numbers of process and fit.
    - `source`: file, line and function of the engine that opened the finding's span, if it has one.
    - `caller`: the line of the program that called the fit, if the trace has it.
    - `defined`: the line where the program defines the finding's hook, if it does and the trace has it.
    """

    rule: Rule
    finding: Finding
    run: str | None
    process: int
    fit: int
    source: str | None
    caller: CodeLine | None = None
    defined: CodeLine | None = None

    @property
    def remedy(self) -> str:
        """What to do about it: the finding's remedy, else the rule's."""
        return self.finding.remedy or self.rule.remedy


@dataclass(frozen=True)
class RuleOutcome:
    """The outcome of rules on a trace.

    - `found`: the findings, fit by fit.
    - `failed`: the rules that raised, each once, with type and message of the exception.
    """

    found: tuple[Found, ...]
    failed: tuple[tuple[Rule, str], ...]


def apply(trace: TraceTables, rules: Iterable[Rule]) -> RuleOutcome:
    """Apply `rules` to each fit of `trace`."""
    found: list[Found] = []
    failed: dict[str, tuple[Rule, str]] = {}
    rules = tuple(rules)
    for fit in _fits(trace):
        for rule in rules:
            try:
                for finding in rule.find(**{table: getattr(fit, table) for table in rule.asks}):
                    found.append(fit.located(rule, finding))
            except Exception as error:  # a rule may be the user's own and fail in any way
                failed.setdefault(rule.name, (rule, f"{type(error).__name__}: {error}"))
    return RuleOutcome(tuple(found), tuple(failed.values()))


class _Fit:
    """The tables of one fit, each made when a rule first needs it.

    Its attributes are named as `TABLES` of `rule.py` and documented there.
    """

    def __init__(
        self, fit: pd.Series, trace: TraceTables, tables: _Tables, inner: pd.DataFrame, is_first_of_process: bool
    ) -> None:
        self.fit = fit
        self.inner = inner
        self._is_first = is_first_of_process
        self._trace = trace
        self._tables = tables

    @cached_property
    def process(self) -> pd.Series:
        rows = self._tables.of_process["processes"].of(self.fit)
        row: pd.Series = rows.iloc[0] if len(rows) else _LOST_PROCESS
        return row

    @cached_property
    def batches(self) -> pd.DataFrame:
        return self._tables.of_fit["batches"].of(self.fit)

    @cached_property
    def hooks(self) -> pd.DataFrame:
        return self._tables.of_fit["hooks"].of(self.fit)

    @cached_property
    def spans(self) -> pd.DataFrame:
        return self._tables.of_fit["spans"].of(self.fit)

    @cached_property
    def stops(self) -> pd.DataFrame:
        # A fit in a hook may be of the same model, and then changes the same `stop_training`.
        stops_by_fit, spans_by_fit = self._tables.of_fit["stops"], self._tables.of_fit["spans"]
        stops, spans = stops_by_fit.of(self.fit), self.spans
        if len(stops_by_fit.table) and len(self.inner):
            fits = [self.fit, *(row for _, row in self.inner.iterrows())]
            stops, spans = (pd.concat([table.of(fit) for fit in fits]) for table in (stops_by_fit, spans_by_fit))
        if stops.empty:
            return stops
        hook_spans = spans.loc[spans["span"].isin(stops["span"]), ["span", "start_ns", "thread"]]
        in_order: pd.DataFrame = stops.merge(hook_spans, "left", on="span").sort_values("start_ns")
        return in_order

    @cached_property
    def values(self) -> pd.DataFrame:
        return self._tables.of_fit["values"].of(self.fit)

    @cached_property
    def memory(self) -> pd.DataFrame:
        return self._tables.of_fit["memory"].of(self.fit)

    @cached_property
    def first_batches(self) -> pd.DataFrame:
        if not self._is_first:
            return _NO_ROWS
        tables = (self._tables.of_process[name].of(self.fit) for name in ("fits", "batches", "values"))
        return first_batches(*tables)

    @cached_property
    def repeated_calls(self) -> pd.DataFrame:
        if not self._is_first:
            return _NO_ROWS
        tables = (self._tables.of_process[name].of(self.fit) for name in ("fits", "batches"))
        return repeated_calls(*tables)

    def batch_samples(self, stage: str, epoch: int | None, batch: int) -> Indices | None:
        """The indices of a batch's samples; None if the trace does not have them."""
        run = str(self.fit["run"]) if "run" in self.fit else None
        fit, process = int(self.fit["fit"]), int(self.fit["process"])
        try:
            return self._trace.batch_samples(fit, epoch, batch, stage=stage, process=process, run=run)
        except UnknownSamples:
            return None

    def located(self, rule: Rule, finding: Finding) -> Found:
        """`finding` with the run, the process and the fit that it is about."""
        run = str(self.fit["run"]) if "run" in self.fit else None
        number = int(self.fit["fit"] if finding.fit is None else finding.fit)
        source = self._source(finding, number)
        defined = self._tables.hook_lines.get(key_of({**self.fit, "fit": number}), {})
        names = finding.callback or "", finding.hook or ""
        process = int(self.fit["process"])
        return Found(rule, finding, run, process, number, source, self._caller(number), defined.get(names))

    def _caller(self, fit: int) -> CodeLine | None:
        """The line that called a fit of this process."""
        row = self.fit
        if fit != row["fit"]:
            # A finding on another fit is rare. Else this would grow with the square of the fits.
            fits = self._tables.of_process["fits"].of(row)
            fits = fits[(fits["fit"] == fit).to_numpy(bool)]
            if fits.empty:
                return None
            row = fits.iloc[0]
        file, line = row["caller_file"], row["caller_line"]
        return CodeLine(file, int(line)) if isinstance(file, str) and not pd.isna(line) else None

    def _source(self, finding: Finding, fit: int) -> str | None:
        """File, line and function of the engine that opened the finding's span."""
        if finding.span is None:
            return None
        spans, sites = self._tables.of_fit["spans"].of({**self.fit, "fit": fit}), self._tables.of_process["sites"]
        # A damaged trace may have lost the span or its site.
        numbers = spans.loc[(spans["span"] == finding.span).to_numpy(bool), "site"]
        of_process = sites.of(self.fit)
        site = of_process[of_process["site"].isin(numbers[:1]).to_numpy(bool)]
        if site.empty:
            return None
        file, line, function = site[["file", "line", "function"]].iloc[0]
        return f"{file}:{line} in {function}"


class _Tables:
    """The tables of a trace, by fit and by process. Numbers of spans, sites and fits are unique in their process."""

    def __init__(self, trace: TraceTables) -> None:
        tables = {name: getattr(trace, name)() for name in _TABLES}
        self.fits = tables["fits"]
        self._trace = trace
        self.of_process = {name: RowsByFit(table, "run", "process") for name, table in tables.items()}
        self.of_fit = {
            name: RowsByFit(table, "run", "process", "fit")
            for name, table in tables.items()
            if name in ("batches", "hooks", "spans", "stops", "values", "memory")
        }

    @cached_property
    def hook_lines(self) -> dict[FitKey, HookLines]:
        """The lines of all hooks, which only a finding needs."""
        return hook_lines(self._trace)


def _fits(trace: TraceTables) -> Iterator[_Fit]:
    tables = _Tables(trace)
    inner_fits = tables.fits[tables.fits["parent_fit"].notna()]
    inner = RowsByFit(inner_fits, "run", "process", "parent_fit")
    processes: set[tuple[str, int]] = set()
    for _, fit in tables.fits.iterrows():
        process = str(fit.get("run")), int(fit["process"])
        yield _Fit(fit, trace, tables, inner.of({**fit, "parent_fit": fit["fit"]}), process not in processes)
        processes.add(process)
