"""The findings of rules as text: a line for each finding, and its details below it."""

from __future__ import annotations

from typing import TextIO

from rich.text import Text

from ..analysis.rules import Found, RuleOutcome
from ..analysis.units import amount, epoch_and_batch
from ..schema.safe_text import printable
from .terminal import console


def print_findings(outcome: RuleOutcome, file: TextIO) -> None:
    """Write all findings, then the rules that failed, to `file`."""
    out = console(file)
    for result in outcome.found:
        out.print(Text(line(result), "bold"), soft_wrap=True)
        details = {
            "defined at": result.defined and str(result.defined),
            "called from": result.caller and str(result.caller),
            "at": result.source,
            "effect": result.rule.effect,
            "remedy": result.remedy,
            "see": " ".join(result.rule.threads),
        }
        for name, text in details.items():
            if text:
                out.print(Text(f"    {name}: {printable(text)}"), soft_wrap=True)
    for rule, error in outcome.failed:
        out.print(Text(f"rule {printable(rule.name)} failed: {printable(error)}", "red"), soft_wrap=True)
    if not outcome.failed:
        out.print(Text(amount(len(outcome.found), "finding", "findings") if outcome.found else "no findings"))


def line(result: Found) -> str:
    """Describe a finding on one line: its rule, where it is, the callback's hook, and the evidence."""
    finding = result.finding
    process = f"process {result.process} " if result.process else ""
    where = [f"{result.run + ' ' if result.run else ''}{process}fit {result.fit}"]
    where += epoch_and_batch(finding.epoch, finding.batch)
    hook = ".".join(filter(None, (finding.callback, finding.hook)))
    subject = f"{hook} " if hook else ""
    return printable(f"{result.rule.name}: {', '.join(where)}: {subject}{finding.message}")
