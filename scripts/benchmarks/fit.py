"""`fit` with capture beside `fit` without, in one process that takes turns, and in whole processes as a cross-check.

A short fit is repeated with capture, without, and without once more, in an order that changes: the third tells how
much two alike differ here. The engine's own loop with nothing to train tells what capture takes for itself.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import processes
from .table import Row, ratios

BATCHES = 200
LOOP = 2_000


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    rounds = 12 if quick else 40
    rows = []
    for callbacks, goal in ((0, 1.01), (2, None)):
        times = processes.answer("fit", rounds, callbacks)
        taken = {name: [one["wall"] for one in samples] for name, samples in times.items()}
        loop = {name: [one["thread"] for one in samples] for name, samples in times.items()}
        spent = {name: [one["cpu"] for one in samples] for name, samples in times.items()}
        who = "no callbacks" if not callbacks else f"{callbacks} callbacks, 3 log keys"
        slower = ratios(taken["traced"], taken["plain"])
        rows += [
            Row(f"fit with capture over without, {who}", slower, "×", goal, digits=4),
            Row("the same, processor time of all threads", ratios(spent["traced"], spent["plain"]), "×", digits=4),
            Row("without over without, in the same turns", ratios(taken["again"], taken["plain"]), "×", digits=4),
            Row("a batch without capture", _per_batch(taken["plain"]), "µs", digits=0),
            Row(
                "capture's share of a batch, by difference",
                _per_batch([one - other for one, other in zip(taken["traced"], taken["plain"])]),
                "µs",
                digits=1,
            ),
            Row(
                "capture's share of a batch, in a loop that trains nothing",
                [1e6 * (one - other) / LOOP for one, other in zip(loop["traced loop"], loop["plain loop"])],
                "µs",
                digits=1,
            ),
        ]
    return rows + _whole_processes(3 if quick else 5)


def _per_batch(seconds: list[float]) -> list[float]:
    return [1e6 * one / BATCHES for one in seconds]


def _whole_processes(rounds: int) -> list[Row]:
    batches = 3000
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
        Row(f"fit of {batches} batches under `fittrace run` over `python`", ratios(fit["traced"], fit["plain"]), "×"),
        Row("the whole process, tables written", ratios(whole["traced"], whole["plain"]), "×"),
        Row("the same, by difference", [one - other for one, other in zip(whole["traced"], whole["plain"])], "s"),
    ]


def _take_turns(rounds: int, callbacks: int) -> dict[str, list[dict[str, float]]]:
    """Seconds of each fit, in this process."""
    from fittrace.capture import Session

    from . import workload

    metrics = ("accuracy", "mae") if callbacks else ("accuracy",)
    model = workload.network(metrics)
    mine = [workload.Mine() for _ in range(callbacks)]
    idle = workload.loop(metrics)
    few, many = workload.data(BATCHES), workload.data(LOOP)

    def timed(of: Any) -> dict[str, float]:
        cpu, thread = time.process_time(), time.thread_time()
        wall = workload.fit(of, *(few if of is model else many), mine)
        return {"wall": wall, "cpu": time.process_time() - cpu, "thread": time.thread_time() - thread}

    def traced(of: Any) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            # Sampled batches are `sampling`'s to measure: so few batches would show little else.
            session = Session(folder, run_metadata="off")
            session.start()
            try:
                return timed(of)
            finally:
                session.close()

    subjects: dict[str, Callable[[], dict[str, float]]] = {
        "plain": lambda: timed(model),
        "traced": lambda: traced(model),
        "again": lambda: timed(model),
        "plain loop": lambda: timed(idle),
        "traced loop": lambda: traced(idle),
    }
    for subject in subjects.values():
        subject()  # to warm up
    times: dict[str, list[dict[str, float]]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name in random.sample(list(subjects), len(subjects)):
            times[name].append(subjects[name]())
    return times


if __name__ == "__main__":
    print(json.dumps(_take_turns(int(sys.argv[1]), int(sys.argv[2]))))
