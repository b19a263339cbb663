"""The summary of a trace, which `fittrace run` prints at its end and `fittrace show` prints."""

from __future__ import annotations

import shlex
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..analysis.rules import RuleOutcome
from ..analysis.units import amount, count, duration, share
from ..schema.batches_to_sample import SUGGESTED
from ..schema.safe_text import printable
from ..store.stalls import FILE as STALLS
from ..store.stalls import Stall, stalls_of
from ..tables import TraceTables
from . import fit_sentences
from .end_position import run_of, stood
from .findings import line
from .run_ending import ending
from .shown_fits import Row
from .summary_figures import Figures, FitSummary, gather
from .terminal import console, table

MOST_FINDINGS = 5
"""Findings that are told. `fittrace check` tells all."""

_LONGEST_OP = 50
"""Characters of an op's name that are shown."""


def print_summary(trace: TraceTables, file: TextIO) -> None:
    """Write the summary of `trace` to `file`. It fits the width of a terminal; a pipe gets plain text."""
    print_figures(gather(trace), file)


def print_figures(
    figures: Figures, file: TextIO, *, findings: RuleOutcome | None = None, is_brief: bool = False
) -> None:
    """Write the summary of `figures` to `file`.

    - `findings`: what the rules found, to be told too; None if they did not look.
    - `is_brief`: leave out all tables but that of many fits, and the hints what to do next.
    """
    out = console(file)
    for fit in figures.fits:
        if is_brief:
            _print_outcome(out, fit, figures)
            out.print()
        else:
            _print_fit(out, fit, figures)
    if figures.all_fits:
        _print_all(out, figures.all_fits)
    if not figures.fits:
        out.print(Text("No fit, evaluate or predict was called: there is nothing to show."))
    for note in figures.notes:
        times = f" ({count(note['times'])} times)" if note["times"] > 1 else ""
        out.print(Text(f"{printable(note['kind'])}: {printable(note['message'])}{times}", "yellow"))
    if findings is not None:
        _print_findings(out, findings, printable(figures.trace.path))
    _print_end(out, figures)
    if not is_brief:
        _print_hints(out, figures)


def _print_fit(out: Console, fit: FitSummary, figures: Figures) -> None:
    """Print the section of one fit: how it went, its phases, its hooks, and what is unusual in it."""
    _print_outcome(out, fit, figures)
    out.print()
    out.print(_phase_table(fit))
    out.print(Text("self: without the phases inside it; share: self, of the whole fit", "dim"))
    if fit.hooks:
        out.print()
        out.print(_hook_table(fit))
    if fit.inner:
        out.print()
        for row in fit.inner:
            out.print(Text(fit_sentences.inner_fits(row, fit.facts)))
    if fit.first_batch:
        out.print()
        out.print(Text(fit_sentences.first_batch(fit.first_batch)))
    if fit.retraced:
        out.print(Text(fit_sentences.retraced(fit.retraced), "yellow"))
    if fit.memory:
        out.print(Text(fit_sentences.memory(fit.memory)))
    if fit.sampled:
        _print_ops(out, fit.sampled, fit.ops)
    out.print()


def _print_outcome(out: Console, fit: FitSummary, figures: Figures) -> None:
    """Print which fit it is, what it did, and how it ended if it did not end normally."""
    facts = fit.facts
    title = Text(fit_sentences.fit_name(facts), "bold")
    title.append(f"  {facts['engine']} {facts['engine_version']}".rstrip(), "not bold")
    title.append(
        # Calls of `evaluate` and `predict` have no epochs.
        (f", {amount(facts['epochs'], 'epoch', 'epochs')}" if facts["epochs"] else "")
        + f", {amount(facts['batches'], 'batch', 'batches')}, {duration(facts['duration_ns'])}",
        "not bold",
    )
    out.print(Text(printable(title.plain), spans=title.spans))
    called = fit_sentences.caller(facts)
    if called is not None:
        out.print(Text(called, "dim"), soft_wrap=True)
    if facts["status"] != "ok":
        why = f": {printable(facts['error'])}" if facts["error"] else ""
        out.print(Text(f"{printable(facts['status'])}{why}", "red"))
    where = stood(facts, run_of(figures.trace, facts))
    if where is not None:
        out.print(Text(where, "red"))
    if fit.stop:
        out.print(Text(fit_sentences.stop(fit.stop)))
    out.print(Text(fit.verdict.sentence))
    if fit.verdict.next_step is not None:
        out.print(Text(f"next step: {fit.verdict.next_step}", "dim"))


def _phase_table(fit: FitSummary) -> Table:
    """The phases, those of each stage together and with their sum, the costliest stage first."""
    stages: dict[str, list[Row]] = {}
    for row in fit.phases:
        stages.setdefault(row["stage"], []).append(row)
    whole = fit.facts["duration_ns"]
    cells: list[list[str]] = []
    for stage, rows in sorted(stages.items(), key=lambda item: -sum(row["self"] for row in item[1])):
        cells += [
            [
                row["phase"],
                stage,
                count(row["count"]),
                *_durations(row, "total", "self"),
                share(row["self"], whole),
                *_durations(row, "mean", "p50", "p99"),
            ]
            for row in rows
        ]
        if len(stages) > 1:
            together = sum(row["self"] for row in rows)
            cells.append(["all phases", stage, "", "", duration(together), share(together, whole), "", "", ""])
    headers = ["phase", "stage", "count", "total", "self", "share", "mean", "p50", "p99"]
    return table(headers, cells, words=("phase", "stage"))


def _hook_table(fit: FitSummary) -> Table:
    return table(
        ["slowest hooks", "callback", "count", "total", "share", "mean", "p99", "slowest"],
        [
            [
                row["hook"],
                row["callback"],
                count(row["count"]),
                duration(row["total"]),
                share(row["total"], fit.facts["duration_ns"]),
                *_durations(row, "mean", "p99", "slowest"),
            ]
            for row in fit.hooks
        ],
        {"slowest hooks", "callback"},
    )


def _print_ops(out: Console, sampled: Row, ops: list[Row]) -> None:
    """Print the slowest ops of the sampled batches, and how these batches spent their time."""
    out.print()
    out.print(
        table(
            ["slowest ops", "type", "on", "count", "self", "share", "mean"],
            [
                [
                    _end_of(row["name"]),
                    row["type"],
                    row["device"].rpartition("/device:")[2] if row["device"] else "host",
                    count(row["count"]),
                    duration(float(row["self"])),
                    share(row["self"], sampled["function"]),
                    duration(float(row["mean"])),
                ]
                for row in ops
            ],
            {"slowest ops", "type", "on"},
        )
    )
    which = fit_sentences.sampled_batches(sampled)
    out.print(Text(f"share: of the function's time in {which}", "dim"))
    out.print(Text(fit_sentences.sampled(sampled)))


def _end_of(name: str) -> str:
    """Shorten an op's name to its end. Names of ops share their beginnings, the scopes."""
    return name if len(name) <= _LONGEST_OP else f"…{name[1 - _LONGEST_OP :]}"


def _durations(row: Row, *names: str) -> list[str]:
    """The durations in the columns `names`. A phase with only callbacks' own calls has no mean or quantiles."""
    return ["–" if row[name] is None else duration(float(row[name])) for name in names]


def _print_all(out: Console, fits: list[Row]) -> None:
    """Print a table of all fits, with a row for each kind."""
    out.print(
        table(
            ["all fits", "called from", "engine", "status", "count", "epochs", "batches", "total", "median"],
            [
                [
                    fit["method"],
                    fit_sentences.short_caller(fit),
                    f"{fit['engine']} {fit['engine_version']}",
                    fit["status"],
                    *(count(fit[key]) for key in ("count", "epochs", "batches")),
                    *_durations(fit, "total", "median"),
                ]
                for fit in fits
            ],
            {"all fits", "called from", "engine", "status"},
        )
    )
    out.print()


def _print_findings(out: Console, findings: RuleOutcome, path: str) -> None:
    """Print the first findings, each with its remedy."""
    for found in findings.found[:MOST_FINDINGS]:
        out.print(Text(line(found), "yellow"), soft_wrap=True)
        out.print(Text(f"    {printable(found.remedy)}", "dim"), soft_wrap=True)
    more = len(findings.found) - MOST_FINDINGS
    if more > 0:
        others = f"{amount(more, 'finding', 'findings')} more: fittrace check {shlex.quote(path)}"
        out.print(Text(others, "yellow"), soft_wrap=True)
    if not findings.found:
        out.print(Text("no findings", "dim"))


def _print_end(out: Console, figures: Figures) -> None:
    trace = figures.trace
    path = printable(trace.path)
    if trace.is_folder:
        out.print(Text(f"{path}: {amount(len(trace.runs), 'run', 'runs')}"), soft_wrap=True)
    else:
        for stall in stalls_of(trace.runs[0].directory):
            out.print(Text(_stalled(stall), "red"), soft_wrap=True)
        out.print(Text(f"{path}: {ending(trace.runs[0], figures.endings)}"), soft_wrap=True)


def _stalled(stall: Stall) -> str:
    """A stall on one line: for how long nothing was recorded, and where the fit stood."""
    where = next((line for line in stall.lines if line.startswith("fit ")), "in no fit")
    return f"nothing was recorded for {duration(1e9 * stall.seconds)}: {printable(where)}; {STALLS} has the stacks"


def _print_hints(out: Console, figures: Figures) -> None:
    """Print what more can be asked of the trace, and how."""
    if figures.is_unsampled:
        hint = f"ops: none were asked for; fittrace run --run-metadata {SUGGESTED} has TensorFlow tell what it ran"
        out.print(Text(hint, "dim"))
    path = shlex.quote(printable(figures.trace.path))
    command = f'fittrace sql {path} "SELECT * FROM hooks ORDER BY duration_ns DESC LIMIT 10"'
    # Not broken into lines, so that it can be copied.
    out.print(Text(f"next: {command}", "dim"), soft_wrap=True)
