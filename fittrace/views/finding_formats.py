"""The findings of rules as other programs read them: JSON, workflow commands of GitHub, SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..analysis.rules import Found, Rule, RuleOutcome
from ..schema.safe_text import printable
from ..version import __version__
from .findings import line

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(outcome: RuleOutcome) -> str:
    """An object with the lists `findings` and `failed`, the rules that failed with their errors."""
    findings = [
        {
            "rule": found.rule.name,
            **_place(found),
            "message": found.finding.message,
            "effect": found.rule.effect,
            "remedy": found.remedy,
            "threads": list(found.rule.threads),
            "source": found.source,
            "caller_file": found.caller.file if found.caller else None,
            "caller_line": found.caller.line if found.caller else None,
            "defined_file": found.defined.file if found.defined else None,
            "defined_line": found.defined.line if found.defined else None,
        }
        for found in outcome.found
    ]
    failed = [{"rule": rule.name, "error": error} for rule, error in outcome.failed]
    return json.dumps({"findings": findings, "failed": failed}, indent=2)


def as_github(outcome: RuleOutcome) -> str:
    """A `::warning` for each finding, which GitHub shows at a line of the program.

    It is the line where the finding's hook is defined, else that which called the fit.

    Source: "Workflow commands for GitHub Actions" in GitHub's documentation.
    """
    commands = []
    for found in outcome.found:
        properties = {"title": f"fittrace {found.rule.name}"}
        at = found.defined or found.caller
        if at:
            properties |= {"file": _relative(at.file), "line": str(at.line)}
        told = ",".join(f"{name}={_github(value, ':,')}" for name, value in properties.items())
        commands.append(f"::warning {told}::{_github(f'{line(found)}; {found.remedy}')}")
    commands += [f"::error ::{_github(f'rule {rule.name} failed: {error}')}" for rule, error in outcome.failed]
    return "\n".join(commands)


def as_sarif(outcome: RuleOutcome) -> str:
    """A SARIF log with one run. The location of a result is a line of the program, as in `as_github`.

    Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
    """
    rules = list({found.rule.name: found.rule for found in outcome.found}.values())
    failures = [
        {"level": "error", "message": {"text": f"rule {rule.name} failed: {error}"}} for rule, error in outcome.failed
    ]
    run = {
        "tool": {
            "driver": {
                "name": "fittrace",
                "version": __version__,
                "rules": [_sarif_rule(rule) for rule in rules],
            }
        },
        "invocations": [{"executionSuccessful": not failures, "toolExecutionNotifications": failures}],
        "results": [_sarif_result(found, [rule.name for rule in rules]) for found in outcome.found],
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": rule.name,
        "shortDescription": {"text": rule.effect},
        "help": {"text": rule.remedy},
    }
    return facts | ({"helpUri": rule.threads[0]} if rule.threads else {})


def _sarif_result(found: Found, rules: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.rule.name,
        "ruleIndex": rules.index(found.rule.name),
        "level": "warning",
        "message": {"text": f"{line(found)}; {found.remedy}"},
        "properties": _place(found),
    }
    at = found.defined or found.caller
    if at:
        location: dict[str, Any] = {"artifactLocation": {"uri": _uri(at.file)}}
        if at.line > 0:
            location["region"] = {"startLine": at.line}
        result["locations"] = [{"physicalLocation": location}]
    return result


def _place(found: Found) -> dict[str, Any]:
    """Where a finding is: its run, process and fit, and its batch and hook as far as it has them."""
    finding = found.finding
    facts = {"run": found.run, "process": found.process, "fit": found.fit}
    return facts | {name: getattr(finding, name) for name in ("epoch", "batch", "callback", "hook")}


def _relative(file: str) -> str:
    """A path below the current directory as seen from there, any other as it is."""
    try:
        return Path(file).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return file


def _uri(file: str) -> str:
    relative = quote(_relative(file).replace("\\", "/"), errors="replace")
    return f"file://{relative}" if relative.startswith("/") else relative


def _github(text: str, also: str = "") -> str:
    """`text` as a workflow command has it. `also`: further characters to escape, which end a property."""
    return "".join(_escaped(printable(text), "%\r\n" + also))


def _escaped(text: str, special: str) -> Iterator[str]:
    for character in text:
        yield f"%{ord(character):02X}" if character in special else character
