"""Starting: `import fittrace`, and what capture adds to the start of every interpreter that it is put into."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time

from . import processes
from .table import Row, ratios

_IMPORT = """
import time, sys, json
begin = time.perf_counter()
import fittrace
taken = time.perf_counter() - begin
print(json.dumps([taken, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
_HEAVY = {"duckdb", "keras", "numpy", "pandas", "pyarrow", "tensorflow"}


def measure(quick: bool) -> list[Row]:
    """The rows of this measure. Raises `AssertionError` where `import fittrace` brings in what it must not."""
    bootstrap = processes.ROOT / "fittrace" / "launch" / "bootstrap"
    samples: dict[str, list[float]] = {"import": [], "plain": [], "captured": []}
    with tempfile.TemporaryDirectory() as folder:
        # Nothing that fits: no journal is written.
        plain = processes.environment(PYTHONPATH="")
        captured = processes.environment(PYTHONPATH=str(bootstrap), FITTRACE_RUN=folder)
        for _ in range(20 if quick else 60):
            taken, modules = json.loads(processes.run(["-c", _IMPORT]))
            assert not _HEAVY & set(modules), f"`import fittrace` imports {_HEAVY & set(modules)}"
            samples["import"].append(1e3 * taken)
            for name, env in (("plain", plain), ("captured", captured)):
                begin = time.perf_counter()
                subprocess.run([sys.executable, "-c", "pass"], env=env, check=True)
                samples[name].append(1e3 * (time.perf_counter() - begin))
    added = [one - other for one, other in zip(samples["captured"], samples["plain"])]
    return [
        Row("`import fittrace`, which imports neither pandas nor TensorFlow", samples["import"], "ms", 50),
        Row("`python -c pass`", samples["plain"], "ms", digits=1),
        Row("what capture adds to it", added, "ms", digits=1),
        Row("`python -c pass` with capture over without", ratios(samples["captured"], samples["plain"]), "×"),
    ]
