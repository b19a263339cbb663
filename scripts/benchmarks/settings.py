"""What more is done on demand costs: `--values all`, `--lines callbacks` and `--otlp`, beside capture as it comes.

For each engine there is a process with each of them, as for `fit` with capture, and the processes take turns.
"""

from __future__ import annotations

from . import processes
from .table import Row, ratios
from .turns import LOOP

_CALLBACKS = 2
_SETTINGS = {
    "as it comes": (),
    "--values all": ("all",),
    "--lines callbacks": ("basic", "callbacks"),
    "--otlp": ("live",),
}
_GOALS = {"--otlp": 1.02}
_ROUNDS = 10
_ROUNDS_WITH_A_GOAL = 40


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    rows = []
    for engine in processes.engines():
        workers = {name: processes.Worker(engine, "turns", *given) for name, given in _SETTINGS.items()}
        share: dict[str, list[float]] = {name: [] for name in workers}
        ratio: dict[str, list[float]] = {name: [] for name in workers}
        for number in range(_ROUNDS_WITH_A_GOAL // 10 if quick else _ROUNDS_WITH_A_GOAL):
            for name, worker in workers.items():
                if number >= _ROUNDS and name not in _GOALS:
                    continue
                taken = worker.ask(_CALLBACKS)
                share[name].append(1e6 * (taken["traced loop"]["thread"] - taken["plain loop"]["thread"]) / LOOP)
                ratio[name] += ratios([taken["traced"]["wall"]], [taken["plain"]["wall"]])
        for worker in workers.values():
            worker.close()
        for name in workers:
            what = f"{engine}, {name}: fit with capture over without"
            rows.append(Row(what, ratio[name], "×", _GOALS.get(name), digits=3))
            rows.append(Row("capture's share of a batch, in a loop that trains nothing", share[name], "µs", digits=1))
    return rows
