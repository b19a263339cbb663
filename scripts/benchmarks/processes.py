"""Fresh interpreters to measure in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .workload import ENGINES

ROOT = Path(__file__).parent.parent.parent
WORKLOAD = Path(__file__).parent / "workload.py"
PYTHONS = {"keras-2.2": ROOT / ".venv-keras2" / "bin" / "python"}
"""The interpreters of the engines that this one is not for."""
_OPENTELEMETRY = ROOT / ".opentelemetry-3.7"
"""What these have of OpenTelemetry; scripts/legacy-env puts it there."""


def engines() -> list[str]:
    """The engines that are here."""
    here = [engine for engine in ENGINES if PYTHONS.get(engine, Path(sys.executable)).exists()]
    for engine in set(ENGINES) - set(here):
        print(f"bench: {engine} is left out, since there is no .venv-keras2 (scripts/legacy-env)", file=sys.stderr)
    return here


def environment(*folders: Path, **more: str) -> dict[str, str]:
    """This process' environment, with fittrace, this package and `folders` to be found and TensorFlow quiet."""
    path = os.pathsep.join(map(str, [ROOT, ROOT / "scripts", *folders]))
    return {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", **more}


def run(arguments: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """What Python prints when it is started with `arguments`.

    Raises `RuntimeError` with what it complained of where it fails.
    """
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=env or environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def answer(module: str, *arguments: object) -> Any:
    """What `python -m benchmarks.<module>` prints on its last line, as JSON."""
    lines = run(["-m", f"benchmarks.{module}", *map(str, arguments)]).splitlines()
    return json.loads(lines[-1])


class Worker:
    """A process of an engine's Python that answers, as `python -m benchmarks.<module> <engine>`, line by line."""

    def __init__(self, engine: str, module: str, *more: str) -> None:
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it is open as long as the process is
        self._process = subprocess.Popen(
            [str(PYTHONS.get(engine, sys.executable)), "-W", "ignore", "-m", f"benchmarks.{module}", engine, *more],
            env=environment(*[_OPENTELEMETRY] if engine in PYTHONS else []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )

    def ask(self, question: object) -> Any:
        """The answer, as JSON. Raises `RuntimeError` with what the process complained of where there is none."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._complaints.seek(0)
            raise RuntimeError(f"{self._process.args!r}: no answer\n{self._complaints.read()[-3000:]}")
        return json.loads(line)

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate()
        self._complaints.close()
