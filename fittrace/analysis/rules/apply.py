"""Applying rules: each to each fit of a trace. A rule that raises is reported, and the others go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from ...tables import Trace, UnknownSamples
from ...tables.samples import Indices
from .model import Finding, Rule

_TABLES = ("fits", "processes", "batches", "hooks", "spans", "stops", "values", "sites")


@dataclass(frozen=True)
class Found:
    """A finding, with its rule, its fit, and the place in the engine's source, where it has one."""

    rule: Rule
    finding: Finding
    run: str | None
    process: int
    fit: int
    source: str | None


@dataclass(frozen=True)
class Outcome:
    """What rules found in a trace, and which of them failed: rule, and type and message of what it raised."""

    found: tuple[Found, ...]
    failed: tuple[tuple[Rule, str], ...]


def apply(trace: Trace, rules: Iterable[Rule]) -> Outcome:
    """What `rules` find in `trace`."""
    found: list[Found] = []
    failed: dict[str, tuple[Rule, str]] = {}
    rules = tuple(rules)
    for fit in _fits(trace):
        for rule in rules:
            try:
                for finding in rule.find(**{table: getattr(fit, table) for table in rule.asks}):
                    found.append(fit.placed(rule, finding))
            except Exception as error:
                failed.setdefault(rule.name, (rule, f"{type(error).__name__}: {error}"))
    return Outcome(tuple(found), tuple(failed.values()))


class _Fit:
    """The tables of one fit, each taken when a rule first asks for it."""

    def __init__(self, fit: pd.Series, trace: Trace, tables: dict[str, pd.DataFrame]) -> None:
        self.fit = fit
        self._trace = trace
        self._tables = tables

    @cached_property
    def process(self) -> pd.Series:
        rows = self._own("processes")
        row: pd.Series = rows.iloc[0]
        return row

    @cached_property
    def inner(self) -> pd.DataFrame:
        return self._of("fits", "parent_fit")

    @cached_property
    def batches(self) -> pd.DataFrame:
        return self._of("batches", "fit")

    @cached_property
    def hooks(self) -> pd.DataFrame:
        return self._of("hooks", "fit")

    @cached_property
    def spans(self) -> pd.DataFrame:
        return self._of("spans", "fit")

    @cached_property
    def stops(self) -> pd.DataFrame:
        """Those of the fits in its hooks too, which may be of the same model; with the moment and the thread."""
        rows = self._own("stops")
        mine = rows[rows["fit"].isin([self.fit["fit"], *self.inner["fit"]])]
        spans = self._own("spans")
        moments = spans.loc[spans["span"].isin(mine["span"]), ["span", "start_ns", "thread"]]
        placed: pd.DataFrame = mine.merge(moments, "left", on="span").sort_values("start_ns")
        return placed

    @cached_property
    def values(self) -> pd.DataFrame:
        return self._of("values", "fit")

    def batch_samples(self, stage: str, epoch: int | None, batch: int) -> Indices | None:
        """The samples of a batch, None where the trace does not tell."""
        run = str(self.fit["run"]) if "run" in self.fit else None
        fit, process = int(self.fit["fit"]), int(self.fit["process"])
        try:
            return self._trace.batch_samples(fit, epoch, batch, stage=stage, process=process, run=run)
        except UnknownSamples:
            return None

    def placed(self, rule: Rule, finding: Finding) -> Found:
        run = str(self.fit["run"]) if "run" in self.fit else None
        return Found(rule, finding, run, int(self.fit["process"]), int(self.fit["fit"]), self._source(finding.span))

    def _source(self, span: int | None) -> str | None:
        if span is None:
            return None
        spans, sites = self.spans, self._own("sites")
        number = spans.loc[spans["span"] == span, "site"].iloc[0]
        site = sites[sites["site"] == number]
        if site.empty:
            return None
        file, line, function = site[["file", "line", "function"]].iloc[0]
        return f"{file}:{line} in {function}"

    def _of(self, table: str, column: str) -> pd.DataFrame:
        rows = self._own(table)
        result: pd.DataFrame = rows[(rows[column] == self.fit["fit"]).fillna(False).astype(bool)]
        return result

    def _own(self, table: str) -> pd.DataFrame:
        """The rows of the fit's own process, for numbers mean nothing in another."""
        rows = self._tables[table]
        for name in ("run", "process"):
            if name in rows:
                rows = rows[rows[name] == self.fit[name]]
        return rows


def _fits(trace: Trace) -> Iterator[_Fit]:
    tables = {name: getattr(trace, name)() for name in _TABLES}
    for _, fit in tables["fits"].iterrows():
        yield _Fit(fit, trace, tables)
