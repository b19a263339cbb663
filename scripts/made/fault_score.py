"""Runs the public faults and the clean programs, and makes docs/faults.md of what `fittrace check` says."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cases.public_faults import CLEAN, CLEAN_ON, CLEAN_VERSIONS, DIFF, FAULTS, OF_VERSION, Fault, described
from cases.recorded import PROGRAMS, TF_KERAS, missing, record, traced

from fittrace.analysis.diff import compare
from fittrace.analysis.rules import RULES, RuleOutcome, apply
from fittrace.views.comparison import line as difference_line
from fittrace.views.findings import line

HEAD = """\
# Public faults, and what fittrace says of them

<!-- scripts/faults --write writes this page, from tests/cases/public_faults.py. A test holds the list current. -->

People reported each fault: their `fit` was slow or odd. A small program shows it, `fittrace run` records it, and
`fittrace check` should name it. One is named by `fittrace diff`, which compares the run with one on a later version.

- **Recall**: {named} of {faults} faults are named, {recall} %. A fault counts if it is named on every version listed.
- **Precision**: {silent} of {runs} runs without the fault are silent, {precision} %. These are {clean} ordinary
  programs on Keras {versions}, and the programs below on the versions that have corrected their fault.

| fault | reported | versions | rule | what is said |
| ----- | -------- | -------- | ---- | ------------ |"""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"


@dataclass(frozen=True)
class Said:
    """What `check`, or `diff`, says of a program on one version.

    - `lines`: its lines, by rule; of `diff`, under `DIFF`.
    """

    lines: dict[str, list[str]]

    @classmethod
    def of(cls, outcome: RuleOutcome) -> Said:
        """What rules found."""
        lines: dict[str, list[str]] = defaultdict(list)
        for found in outcome.found:
            lines[found.rule.name].append(line(found))
        return cls(dict(lines))

    def without(self, rules: Iterable[str]) -> Said:
        """The same without what some rules say."""
        return Said({rule: texts for rule, texts in self.lines.items() if rule not in rules})


@dataclass(frozen=True)
class Score:
    """The outcome of a run.

    - `faults`: of each fault and version that has it, what was said.
    - `good`: the same of the versions without it.
    - `clean`: of each clean program and version, what was said.
    - `absent`: the versions that are not installed here.
    """

    faults: dict[tuple[Fault, str], Said]
    good: dict[tuple[Fault, str], Said]
    clean: dict[tuple[str, str], Said]
    absent: list[str]

    def is_named(self, fault: Fault) -> bool:
        """Whether the fault is named on every version that has it."""
        said = [of for (other, _), of in self.faults.items() if other == fault]
        return bool(said) and all(fault.rule in of.lines for of in said)

    @property
    def false_alarms(self) -> list[tuple[str, str, list[str]]]:
        """Programs and versions without a fault of which something is said, with what is said."""
        alarms = [
            (fault.program, version, said.lines[fault.rule])
            for (fault, version), said in self.good.items()
            if fault.rule in said.lines
        ]
        return alarms + [
            (program, version, [text for lines in said.lines.values() for text in lines])
            for (program, version), said in self.clean.items()
            if said.lines
        ]


def run(faults: Iterable[Fault], clean: Iterable[str], folder: Path) -> Score:
    """Run `faults` and `clean` programs, with their traces in `folder`."""
    faults, clean = list(faults), list(clean)
    wanted = _wanted(faults, clean)
    said: dict[tuple[str, str], Said] = {}
    absent = sorted(version for version in wanted if missing(version))
    for version, programs in wanted.items():
        if version not in absent:
            print(f"{version}: {len(programs)} programs", file=sys.stderr)
            said |= {(program, version): of for program, of in _say(version, programs, faults, folder / version)}
    return Score(
        {(fault, v): said[fault.program, v] for fault in faults for v in fault.versions if v not in absent},
        {
            (fault, v): said[fault.program, v]
            for fault in faults
            for v in fault.good
            if v not in absent and fault.rule != DIFF
        },
        {
            (program, v): said[program, v].without(OF_VERSION.get(v, ()))
            for v in CLEAN_VERSIONS
            for program in clean
            if (program, v) in said
        },
        absent,
    )


def _wanted(faults: list[Fault], clean: list[str]) -> dict[str, list[str]]:
    """The programs to run, by version."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for fault in faults:
        for version in (*fault.versions, *fault.good):
            wanted[version].append(fault.program)
    for version in CLEAN_VERSIONS:
        wanted[version] += [program for program in clean if Path(program).name not in CLEAN_ON.get(version, ())]
    return dict(wanted)


def _say(version: str, programs: list[str], faults: list[Fault], folder: Path) -> Iterator[tuple[str, Said]]:
    """What is said of each program on one version."""
    of = {fault.program: fault for fault in faults}
    folder.mkdir(parents=True)
    alone = [name for name in programs if name in of and (of[name].options or of[name].dies or of[name].rule == DIFF)]
    together = [name for name in programs if name not in alone]
    if together:
        recorded = record(version, together, folder / "together")
        for program in together:
            yield program, Said.of(recorded.found(program))
    for program in alone:
        fault = of[program]
        trace = traced(program, version, folder / Path(program).name, options=fault.options, dies=fault.dies)
        if fault.rule == DIFF and version in fault.versions:
            good = traced(program, fault.good[0], folder / f"{Path(program).name}-good")
            texts = [difference_line(difference) for difference in compare(trace, good, ["logs"]).differences]
            yield program, Said({DIFF: texts} if texts else {})
        else:
            yield program, Said.of(apply(trace, RULES))


def page(score: Score) -> str:
    """The text of docs/faults.md."""
    named = [fault for fault in FAULTS if score.is_named(fault)]
    programs = len(score.clean) + len(score.good)
    alarms = score.false_alarms
    lines = [
        HEAD.format(
            named=len(named),
            faults=len(FAULTS),
            recall=f"{100 * len(named) / len(FAULTS):.0f}",
            silent=programs - len(alarms),
            runs=programs,
            precision=f"{100 * (programs - len(alarms)) / programs:.0f}",
            clean=len(CLEAN),
            versions=", ".join(CLEAN_VERSIONS).replace(TF_KERAS, "tf_keras"),
        )
    ]
    for fault in FAULTS:
        said = next((of for (other, _), of in score.faults.items() if other == fault), None)
        texts = said.lines.get(fault.rule, []) if said else []
        example = _cell(_without_folder(texts[0])) if texts else ""
        lines.append(
            f"| {_cell(fault.text)} | {' '.join(map(_thread, fault.threads)) or 'our own'} | {_versions(fault)} "
            f"| {f'`{fault.rule}`' if score.is_named(fault) else 'not named'} | {example} |"
        )
    lines += ["", "## Ordinary programs", "", "| program | what is said |", "| ------- | ------------ |"]
    for program in CLEAN:
        said_of = [of for (other, _), of in score.clean.items() if other == program]
        texts = [text for of in said_of for found in of.lines.values() for text in found]
        lines.append(f"| {_cell(described(program))} | {_cell('; '.join(texts)) or 'nothing'} |")
    return "\n".join(lines) + "\n"


def _versions(fault: Fault) -> str:
    bad = ", ".join(fault.versions).replace(TF_KERAS, "tf_keras")
    return f"{bad}; not {', '.join(fault.good)}" if fault.good else bad


def _thread(thread: str) -> str:
    if thread.startswith("https://"):
        owner, number = thread.split("/")[4], thread.rpartition("/")[2]
        return f"[{owner}#{number}]({thread})"
    project, _, number = thread.partition("#")
    owner = {"keras": "keras-team/keras", "tensorflow": "tensorflow/tensorflow"}[project]
    return f"[{thread}](https://github.com/{owner}/issues/{number})"


def _without_folder(text: str) -> str:
    """A text without the folder of the repository, which is another on each machine."""
    return text.replace(f"{PROGRAMS}/../", "tests/cases/").replace(f"{PROGRAMS}/", "tests/cases/programs/")


def _cell(text: str) -> str:
    """A text as a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def main(arguments: list[str]) -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="scripts/faults", description="Which public faults fittrace names.")
    parser.add_argument("names", nargs="*", help="parts of the names of the programs to run")
    parser.add_argument("--write", action="store_true", help="write docs/faults.md")
    chosen = parser.parse_args(arguments)
    if chosen.names and chosen.write:
        parser.error("--write needs all programs: give no names")

    def is_chosen(program: str) -> bool:
        return not chosen.names or any(name in program for name in chosen.names)

    with tempfile.TemporaryDirectory() as folder:
        score = run(
            [fault for fault in FAULTS if is_chosen(fault.program)],
            [program for program in CLEAN if is_chosen(program)],
            Path(folder),
        )
    for version in score.absent:
        print(f"not run: {missing(version)}")
    for (fault, version), said in score.faults.items():
        print(
            f"{'named ' if fault.rule in said.lines else 'MISSED'} {version:8} {Path(fault.program).name}: {fault.rule}"
        )
        for texts in said.lines.values():
            for text in texts:
                print(f"           {text}")
    for program, version, texts in score.false_alarms:
        print(f"FALSE  {version:8} {Path(program).name}")
        for text in texts:
            print(f"           {text}")
    faults = {fault for fault, _ in score.faults}
    runs = len(score.clean) + len(score.good)
    print(f"recall: {sum(map(score.is_named, faults))} of {len(faults)} faults")
    print(f"precision: {runs - len(score.false_alarms)} of {runs} runs without a fault are silent")
    if chosen.write:
        PAGE.write_text(page(score), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
