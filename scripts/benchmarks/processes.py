"""Fresh interpreters to measure in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
WORKLOAD = Path(__file__).parent / "workload.py"


def environment(**more: str) -> dict[str, str]:
    """This process' environment, with fittrace and this package to be found and TensorFlow quiet."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "scripts")])
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
