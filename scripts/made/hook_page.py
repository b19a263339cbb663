"""Writes docs/hooks.md, from the golden hook orders, the pattern language and the rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fittrace.analysis import pattern
from fittrace.analysis.rules import RULES
from fittrace.schema.hook_names import HOOKS

PAGE = Path("docs/hooks.md")
ORDERS = Path("tests/golden/orders")

HEAD = """\
# Hooks

<!-- Generated from tests/golden/orders and fittrace/analysis by scripts/hook-doc; a test holds it current. -->

This page says which hooks each engine calls, in which order, and with which logs. All of it was recorded, and
`tests/golden` holds it true. You can test your own callback in the same way:

```python
def test_my_callback(fit_trace):  # a fixture of the pytest plugin that comes with fittrace
    model.fit(x, y, epochs=2, callbacks=[MyCallback()])
    fit_trace.assert_hook_order("on_train_begin each epoch (... on_epoch_end) on_train_end", callbacks="MyCallback")
    assert fit_trace.log_keys()["on_epoch_end"] == ["loss"]
```

`fit_trace` has all tables of a trace. As text it is the hook order, the log keys and the phases of the test's fits. The
text is the same on every machine, so you can compare it: `assert fit_trace == snapshot` with syrupy,
`assert str(fit_trace) == snapshot(...)` with inline-snapshot.

`pytest --fittrace` keeps a trace of every test that fits. `fittrace testgen --script train.py` writes such a test from
a recorded run. `fittrace diff` compares two runs, and `fittrace check` looks for known faults.
"""

Contract = dict[str, list[str]]


def orders() -> dict[str, dict[str, Contract]]:
    """For each engine, each scenario's contract: the lines below each of its titles."""
    files = sorted(ORDERS.glob("*.txt"), key=by_age)
    return {" ".join(file.stem.rsplit("-", 1)): scenarios(file.read_text(encoding="utf-8")) for file in files}


def by_age(file: Path) -> tuple[int, list[int]]:
    """Engines in the order of their history, then by version."""
    engine, _, version = file.stem.rpartition("-")
    return ["keras-2.2", "tf-keras-v1", "tf-keras", "keras-3"].index(engine), [int(part) for part in version.split(".")]


def scenarios(text: str) -> dict[str, Contract]:
    """The contracts in one file."""
    found: dict[str, Contract] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("# "):
            contract = found[line[2:]] = {}
        elif line.startswith("        "):
            lines.append(line[8:])
        elif line.startswith("    "):
            lines = contract[line.strip()] = []
    return found


def document() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    """The page, line by line."""
    yield HEAD
    engines = orders()
    yield "## Which hooks there are"
    yield ""
    yield "These are the hooks of a fit that validates and has a callback of the user. *beside*: the hook runs on"
    yield "another thread, in no order with the fit."
    yield ""
    yield from hook_table({name: found["validation"] for name, found in engines.items()})
    yield "## In which order"
    yield ""
    yield "The orders are [patterns](#patterns). A hook is called on each callback in turn, in the order of their list."
    for scenario in next(iter(engines.values())):
        yield from order(scenario, {name: found[scenario] for name, found in engines.items()})
    yield ""
    yield "## What is in the logs"
    yield ""
    yield "These are the logs of that fit, which has a loss and one metric. `Mine` is the user's callback."
    yield ""
    yield from logs_table({name: found["validation"] for name, found in engines.items()})
    yield "## Patterns"
    yield ""
    yield from pattern_language()
    yield "## Rules"
    yield ""
    yield "`fittrace check` looks for these faults. A rule of your own is a function in a file that `--rules` names:"
    yield ""
    yield from RULE
    yield ""
    yield "| rule | finds | remedy | threads |"
    yield "|---|---|---|---|"
    for rule in RULES:
        threads = " ".join(f"[{thread.split('/')[4]}#{thread.rpartition('/')[2]}]({thread})" for thread in rule.threads)
        yield f"| `{rule.name}` | {one_line(rule.find.__doc__)} | {rule.remedy} | {threads} |"
    yield ""
    yield from IN_CI


IN_CI = """\
## In CI

`fittrace check` exits with 0 if there is no finding, with 1 if there is one, and with 2 if a rule failed. With
`--fail-on RULE`, which may be repeated, only these rules count; the others are still told. `--format github` prints the
workflow commands that GitHub shows at the line of the program that called the fit, `--format sarif` a SARIF 2.1.0 log,
and `--format json` all of each finding.

```yaml
- run: fittrace run train.py
- run: fittrace check --format github --fail-on not-finite --fail-on data-wait
```

`fittrace diff` exits with 1 if two traces differ. `fittrace diff before after --only time --time-tolerance 0.1` is a
gate on time: it counts a difference only if it is above 10 % and beyond what may be chance.
""".splitlines()

RULE = """\
```python
from fittrace.analysis.rules import Finding, rule


@rule("late-checkpoint", effect="a crash loses hours", remedy="save more often")
def late_checkpoint(fit, hooks):
    saves = hooks[hooks["callback"] == "ModelCheckpoint"]
    if len(saves) and fit["duration_ns"] > 3600e9 * saves["epoch"].nunique():
        yield Finding("an epoch takes more than an hour", callback="ModelCheckpoint")
```

A rule is called for each fit. Its parameters say what it is given:

- `fit`, the fit's row, and `process`, the row of its process;
- `inner`, the fits that were called in its hooks;
- `batches`, `hooks`, `spans`, `stops` and `values`, the rows of these tables that belong to the fit;
- `batch_samples`, a function of stage, epoch and batch that gives the indices of a batch's samples, or None;
- `first_batches`, for the first fit of a process: a row for each fit of the process, with what its first training batch
  took above the others;
- `repeated_calls`, for the first fit of a process: the lines of the program that call `fit`, `evaluate` or `predict`
  again and again.

A `Finding` may have a `remedy` of its own, and a `fit` if it is about another fit of the process.
""".splitlines()


def hook_table(contracts: dict[str, Contract]) -> Iterator[str]:
    """Which engine calls which hook."""
    yield "| hook | " + " | ".join(contracts) + " |"
    yield "|---|" + "---|" * len(contracts)
    for hook in HOOKS:
        cells = [cell(hook, contract) for contract in contracts.values()]
        if any(cells):
            yield f"| `{hook}` | " + " | ".join(cells) + " |"
    yield ""


def cell(hook: str, contract: Contract) -> str:
    """Whether the hook is called, and where."""
    if hook in contract.get("hooks on other threads, in no order", ()):
        return "beside"
    return "yes" if any(hook in words(line) for line in contract.get("hooks", ())) else ""


def words(line: str) -> list[str]:
    return line.replace("(", " ").replace(")", " ").split()


def order(scenario: str, contracts: dict[str, Contract]) -> Iterator[str]:
    """The orders of one scenario, each with the engines that have it."""
    yield ""
    yield f"### {scenario.capitalize()}"
    having: dict[tuple[str, ...], list[str]] = {}
    for engine, contract in contracts.items():
        beside = [f"# beside: {hook}" for hook in contract.get("hooks on other threads, in no order", ())]
        having.setdefault((*contract.get("hooks", ["# no hooks"]), *beside), []).append(engine)
    for lines, engines in having.items():
        yield ""
        yield ", ".join(engines) + ":"
        yield ""
        yield "```text"
        yield from lines
        yield "```"


def logs_table(contracts: dict[str, Contract]) -> Iterator[str]:
    """The keys of the logs, and which callbacks add and remove some."""
    yield "| engine | hook | keys | added, removed by |"
    yield "|---|---|---|---|"
    for engine, contract in contracts.items():
        changes = [line.partition(": ") for line in contract.get("log keys that callbacks add or remove", ())]
        for line in contract.get("log keys", ()):
            hook, _, keys = line.partition(": ")
            by = [f"{who.partition('.')[0]}: {what}" for who, _, what in changes if who.endswith(f".{hook}")]
            yield f"| {engine} | `{hook}` | {keys} | {'; '.join(by)} |"
    yield ""


def pattern_language() -> Iterator[str]:
    """The language, as the package says it, its example as code."""
    head, _, rest = (pattern.__doc__ or "").partition("\n\n")
    example, _, rest = rest.partition("\n\n")
    table = rest.partition("\n\n")[0]
    yield head
    yield ""
    yield "```text"
    yield from (line[4:] for line in example.splitlines())
    yield "```"
    yield ""
    yield from table.splitlines()
    yield ""


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def main() -> None:
    PAGE.write_text(document(), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
