"""`fit` with capture beside `fit` without, for every engine, and in whole processes as a cross-check.

Each engine has a process of its own, and they take turns. In a turn a short fit is repeated with capture, without, and
without once more, in an order that changes: the third tells how much two alike differ here. The engine's own loop with
nothing to train tells what capture takes for itself.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from . import processes
from .table import Row, ratios
from .turns import BATCHES, LOOP

GOALS = {"keras-2.2": 1.02, "keras-3": 1.01}
_ROUNDS = {0: 60, 2: 20}
"""By the number of callbacks. A goal is set where there are none."""
_Times = dict[str, list[dict[str, float]]]


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    workers = {engine: processes.Worker(engine, "turns") for engine in processes.engines()}
    times: dict[tuple[str, int], _Times] = {}
    for number in range(max(_ROUNDS.values()) // (6 if quick else 1)):
        for engine, worker in workers.items():
            for callbacks in [one for one, rounds in _ROUNDS.items() if number < rounds]:
                for name, sample in worker.ask(callbacks).items():
                    times.setdefault((engine, callbacks), {}).setdefault(name, []).append(sample)
    for worker in workers.values():
        worker.close()
    rows = [row for (engine, callbacks), taken in times.items() for row in _rows(engine, callbacks, taken)]
    return rows + _whole_processes(2 if quick else 4)


def _rows(engine: str, callbacks: int, times: _Times) -> list[Row]:
    wall = {name: [one["wall"] for one in samples] for name, samples in times.items()}
    spent = {name: [one["cpu"] for one in samples] for name, samples in times.items()}
    loop = {name: [one["thread"] for one in samples] for name, samples in times.items() if name.endswith("loop")}
    who = f"{engine}, {callbacks} callbacks and 3 log keys" if callbacks else engine
    share = [1e6 * (one - other) / LOOP for one, other in zip(loop["traced loop"], loop["plain loop"])]
    goal = None if callbacks else GOALS.get(engine)
    return [
        Row(f"{who}: fit with capture over without", ratios(wall["traced"], wall["plain"]), "×", goal, digits=4),
        Row("the same, processor time of all threads", ratios(spent["traced"], spent["plain"]), "×", digits=4),
        Row("without over without, in the same turns", ratios(wall["again"], wall["plain"]), "×", digits=4),
        Row("a batch without capture", [1e6 * one / BATCHES for one in wall["plain"]], "µs", digits=0),
        Row("capture's share of a batch, in a loop that trains nothing", share, "µs", digits=1),
    ]


def _whole_processes(rounds: int) -> list[Row]:
    batches = 2000
    fit: dict[str, list[float]] = {"plain": [], "traced": []}
    whole: dict[str, list[float]] = {"plain": [], "traced": []}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "seconds")
        script = [str(processes.WORKLOAD), "--batches", str(batches), "--report", str(report)]
        commands = {"plain": script, "traced": ["-m", "fittrace", "run", "--quiet", "--out", folder, *script]}
        for number in range(rounds):
            for name in list(commands)[:: 1 if number % 2 else -1]:
                begin = time.perf_counter()
                processes.run(commands[name])
                whole[name].append(time.perf_counter() - begin)
                fit[name].append(float(report.read_text()))
    return [
        Row(f"keras-3, {batches} batches under `fittrace run` over `python`", ratios(fit["traced"], fit["plain"]), "×"),
        Row("the whole process, tables written", ratios(whole["traced"], whole["plain"]), "×"),
        Row("the same, by difference", [one - other for one, other in zip(whole["traced"], whole["plain"])], "s"),
    ]
