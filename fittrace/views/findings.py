"""What rules found, for people: one line for each finding, and below it what it means."""

from __future__ import annotations

from typing import TextIO

from rich.text import Text

from ..analysis.rules import Found, RuleOutcome
from ..schema.safe_text import printable
from .terminal import console
from .units import amount, epoch_and_batch


def print_findings(outcome: RuleOutcome, file: TextIO) -> None:
    """Write all findings, and the rules that failed, to `file`."""
    out = console(file)
    for found in outcome.found:
        out.print(Text(line(found), "bold"), soft_wrap=True)
        details = {"at": found.source, "effect": found.rule.effect, "remedy": found.remedy}
        details |= {"see": " ".join(found.rule.threads)}
        for name, text in details.items():
            if text:
                out.print(Text(f"    {name}: {printable(text)}"), soft_wrap=True)
    for rule, error in outcome.failed:
        out.print(Text(f"rule {printable(rule.name)} failed: {printable(error)}", "red"), soft_wrap=True)
    if not outcome.failed:
        out.print(Text(amount(len(outcome.found), "finding", "findings") if outcome.found else "no findings"))


def line(found: Found) -> str:
    """The one line of a finding: the rule, where, who, and the evidence."""
    finding = found.finding
    process = f"process {found.process} " if found.process else ""
    where = [f"{found.run + ' ' if found.run else ''}{process}fit {found.fit}"]
    where += epoch_and_batch(finding.epoch, finding.batch)
    who = ".".join(filter(None, (finding.callback, finding.hook)))
    subject = f"{who} " if who else ""
    return printable(f"{found.rule.name}: {', '.join(where)}: {subject}{finding.message}")
