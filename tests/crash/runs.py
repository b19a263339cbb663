"""Starting runs of the programs here on the Keras in miniature, and comparing what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fittrace
from fittrace.launch.run_program import BOOTSTRAP
from fittrace.schema import run_facts as schema_run

HERE = Path(__file__).parent
PROGRAM = HERE / "programs" / "train.py"
SOURCES = Path(fittrace.__file__).parent.parent
HOOKS = ["fit", "seq", "stage", "epoch", "batch", "callback", "position", "hook"]


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join(str(one) for one in (HERE / "engine", SOURCES))
    return {**os.environ, "PYTHONPATH": path, **more}


def start_alone(folder: Path, *arguments: object, program: Path = PROGRAM, **options: Any) -> subprocess.Popen[str]:
    """A traced process whose launcher is dead already."""
    folder.mkdir(parents=True)
    schema_run.new(str(folder), folder.name, [str(program)], sys.executable, fittrace.__version__)
    variables = environment(FITTRACE_RUN=str(folder))
    variables["PYTHONPATH"] = os.pathsep.join((str(BOOTSTRAP), variables["PYTHONPATH"]))
    command = [sys.executable, str(program), *map(str, arguments)]
    return subprocess.Popen(command, env=variables, text=True, stderr=subprocess.PIPE, **options)


def start(
    out: Path, *arguments: object, program: Path = PROGRAM, quiet: bool = True, variables: Any = None, **options: Any
) -> subprocess.Popen[str]:
    """`fittrace run`: the launcher, which starts the program."""
    command = [sys.executable, "-m", "fittrace", "run", *["--quiet"] * quiet, "--out", str(out), "--name", "run"]
    command.append(str(program))
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        env=environment(**(variables or {})),
        text=True,
        stderr=subprocess.PIPE,
        **options,
    )


def finish(process: subprocess.Popen[str], timeout_s: float = 60) -> tuple[int, str]:
    """The exit code and what was told on standard error."""
    _, told = process.communicate(timeout=timeout_s)
    return process.returncode, told


def wait_for(path: Path, lines: int = 1, timeout_s: float = 60) -> list[str]:
    """The lines of a witness, once there are so many."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        told = path.read_text().splitlines() if path.exists() else []
        if len(told) >= lines:
            return told
        time.sleep(0.005)
    raise AssertionError(f"{path}: fewer than {lines} lines after {timeout_s} s")


def hook_rows(trace: fittrace.Trace) -> list[tuple[Any, ...]]:
    """All hooks in order, with their logs; a hook that never came back shows none."""
    hooks = trace.hooks()
    hooks = hooks[hooks["process"] == 0]
    logs = [
        (str(before), str(after), tuple(changed)) if status == "ok" else None
        for before, after, changed, status in zip(
            hooks["logs_before"], hooks["logs_after"], hooks["changed"], hooks["status"], strict=True
        )
    ]
    facts = hooks[HOOKS].astype(object).where(hooks[HOOKS].notna(), None)
    return list(zip(*(facts[name] for name in HOOKS), logs, strict=True))


def is_prefix(found: list[tuple[Any, ...]], whole: list[tuple[Any, ...]]) -> bool:
    """Whether `found` is how `whole` begins, but for the logs of hooks that never came back."""
    return len(found) <= len(whole) and all(
        one == other or (one[-1] is None and one[:-1] == other[:-1]) for one, other in zip(found, whole)
    )


def lost_ns(trace: fittrace.Trace, witness: list[str]) -> int:
    """How long before its last word the witness told something first that the trace does not hold."""
    hooks = trace.hooks()
    mine = hooks[(hooks["callback"] == "Witness") & hooks["hook"].isin(["on_epoch_begin", "on_train_batch_end"])]
    told = [int(line.split()[0]) for line in witness if line.split()[1].startswith("on_")]
    last = int(witness[-1].split()[0])
    return last - told[len(mine)] if len(mine) < len(told) else 0
