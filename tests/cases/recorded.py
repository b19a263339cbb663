"""Traces of the programs in `programs`, `faults` and `clean`, on the version of Keras that each needs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine_matrix import KERAS, LEGACY
from faithful.processes import environ, finish, start

import fittrace
from fittrace.analysis.rules import RULES, RuleOutcome, apply

PROGRAMS = Path(__file__).parent / "programs"
LEGACY_OWN = "2.2.4"
"""The version of Keras that is installed in the environment of `LEGACY`. The others lie in `KERAS`."""
TF_KERAS = "tf_keras"
"""What stands for a version where a program runs on the tf_keras that is installed here."""


def missing(version: str) -> str | None:
    """Why nothing can run on a version of Keras here; None if it can."""
    if version.startswith("2.") and not LEGACY.exists():
        return "no Python 3.7 with Keras 2.2 here; `scripts/legacy-env` makes it"
    if version not in (LEGACY_OWN, TF_KERAS) and not (KERAS / version).exists():
        return f"no Keras {version} here; `scripts/env matrix` gets it"
    return None


def traced(
    program: str,
    version: str,
    folder: Path,
    arguments: Sequence[str] = (),
    options: Sequence[str] = (),
    dies: bool = False,
    **variables: str,
) -> fittrace.Trace:
    """The trace of a program on one version of Keras.

    - `program`: its name. It is a file in `PROGRAMS`, or begins with `../` and lies beside that folder.
    - `version`: the version of Keras, or `TF_KERAS`.
    - `folder`: where the trace goes. The program may write the file `seen.json` there.
    - `arguments`: the arguments of the program.
    - `options`: further options of `fittrace run`.
    - `dies`: whether the program is killed.
    - `variables`: further environment variables of the program.
    """
    path = None if version in (LEGACY_OWN, TF_KERAS) else KERAS / version
    python = str(LEGACY) if version.startswith("2.") else sys.executable
    options = ["--quiet", "--python", python, "--out", str(folder), "--name", "run", *options]
    command = [sys.executable, "-m", "fittrace", "run", *options, str(PROGRAMS / f"{program}.py"), *arguments]
    folder.mkdir(exist_ok=True)
    variables = {"SEEN": str(folder / "seen.json"), "CASE_ENGINE": TF_KERAS if version == TF_KERAS else "", **variables}
    environment = environ(path, **variables)
    environment["PYTHONPATH"] = ":".join(filter(None, (environment.get("PYTHONPATH"), str(PROGRAMS))))
    run = finish(start(command, environment, folder))
    assert dies or run.returncode == 0, run.stderr[-3000:]
    trace = fittrace.open(folder / "run")
    assert version == TF_KERAS or set(trace.fits().engine_version) == {version}
    return trace


@dataclass(frozen=True)
class Recorded:
    """All programs of one version of Keras in one trace, each in a process of its own.

    - `outcome`: what the rules found in the trace.
    - `processes`: the number of each program's process.
    """

    outcome: RuleOutcome
    processes: dict[str, int]

    def found(self, program: str) -> RuleOutcome:
        """What the rules found in one program, as if it were the only process of its trace."""
        own = (result for result in self.outcome.found if result.process == self.processes[program])
        return RuleOutcome(tuple(replace(result, process=0) for result in own), self.outcome.failed)


def record(version: str, programs: Iterable[str], folder: Path) -> Recorded:
    """Run `programs` on a version of Keras, and apply the rules to all of them."""
    trace = traced("each_forked", version, folder, list(programs))
    pids = json.loads((folder / "seen.json").read_text())
    number = trace.processes().set_index("pid")["process"]
    return Recorded(apply(trace, RULES), {program: int(number[pid]) for program, pid in pids.items()})
