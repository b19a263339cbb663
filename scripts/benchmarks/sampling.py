"""What a sampled batch costs on every engine, and what the gate costs that the others pass.

A batch counts whole, with the start and the end of its sample; the trace itself tells how long each took. The gate is
measured as the probes are (`span`): in a loop, in processor time of its thread, on the thread that owns the capture.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import fittrace
from fittrace.capture.instrument import syntax
from fittrace.capture.instrument.rewrite import with_constants
from fittrace.capture.sampling.sampler import Sampler

from . import processes
from .recorders import sampler_context
from .table import Row

EVERY = 20
COUNT = 20_000
_SAMPLER = syntax.RECORDER + ".sampler"
"""What stands for the sampler in the code of the thread that owns the capture."""
_SOURCE = f"""
def empty(count):
    for number in range(count):
        pass

def gate(count):
    for number in range(count):
        if "{_SAMPLER}".wants:
            "{_SAMPLER}".begin(-2, "session", "train", 0, number, number)
        if "{_SAMPLER}".is_open:
            "{_SAMPLER}".end(-2)
"""


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    rows = [Row("the gate of a batch that is not sampled", _gate(10 if quick else 100), "ns", digits=0)]
    for engine in processes.engines():
        plain, sampled = _batches(engine, 200 if quick else 1000)
        rows += [
            Row(f"a batch that is not sampled, {engine}", plain, "ms"),
            Row(f"a sampled batch, {engine}", sampled, "ms"),
        ]
    return rows


def _gate(rounds: int) -> list[float]:
    sampler = Sampler(sampler_context(), lambda record: None)
    names: dict[str, Callable[[int], None]] = {}
    exec(with_constants(compile(_SOURCE, "<gate>", "exec"), {_SAMPLER: sampler}), names)
    seconds: dict[str, list[float]] = {"empty": [], "gate": []}
    for _ in range(rounds):
        for name, taken in seconds.items():
            begin = time.thread_time()
            names[name](COUNT)
            taken.append(time.thread_time() - begin)
    return [1e9 * (gate - empty) / COUNT for gate, empty in zip(seconds["gate"], seconds["empty"], strict=True)]


def _batches(engine: str, batches: int) -> tuple[list[float], list[float]]:
    """Milliseconds of the batches that were not sampled, and of those that were; without the first one of all."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--quiet", "--out", folder, "--name", "run", "--run-metadata", f"every={EVERY}"]
        options += ["--python", str(processes.PYTHONS.get(engine, sys.executable))]
        script = [str(processes.WORKLOAD), "--engine", engine, "--batches", str(batches)]
        processes.run(["-m", "fittrace", "run", *options, *script, "--report", str(Path(folder, "seconds"))])
        rows = fittrace.open(Path(folder, "run")).batches().query("fit == 1 and batch > 0")
    is_sampled = rows["compute_ns"].notna()
    assert is_sampled.sum() == (batches - 1) // EVERY
    of = rows["duration_ns"] / 1e6
    return of[~is_sampled].tolist(), of[is_sampled].tolist()
