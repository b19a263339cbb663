"""What more is done on demand costs: `--values all`, `--lines callbacks` and `--otlp`, beside capture as it comes.

For each engine there is a process with each of them, as for `fit` with capture, and the processes take turns. The goal
is for `--otlp` in the fit that capture's own goal is for, without callbacks; that is measured in many short turns.
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
_PAIRS = 160


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    rows = []
    for engine in processes.engines():
        workers = {name: processes.Worker(engine, "turns", *given) for name, given in _SETTINGS.items()}
        share: dict[str, list[float]] = {name: [] for name in workers}
        ratio: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(_ROUNDS // 3 if quick else _ROUNDS):
            for name, worker in workers.items():
                taken = worker.ask(_CALLBACKS)
                share[name].append(1e6 * (taken["traced loop"]["thread"] - taken["plain loop"]["thread"]) / LOOP)
                ratio[name] += _ratio(taken)
        alone = {
            name: [_ratio(workers[name].ask("0 plain traced"))[0] for _ in range(_PAIRS // 20 if quick else _PAIRS)]
            for name in _GOALS
        }
        for worker in workers.values():
            worker.close()
        for name in workers:
            rows.append(Row(f"{engine}, {name}: fit with capture over without", ratio[name], "×", digits=3))
            if name in _GOALS:
                rows.append(Row("the same without callbacks", alone[name], "×", _GOALS[name], digits=3))
            rows.append(Row("capture's share of a batch, in a loop that trains nothing", share[name], "µs", digits=1))
    return rows


def _ratio(taken: dict[str, dict[str, float]]) -> list[float]:
    return ratios([taken["traced"]["wall"]], [taken["plain"]["wall"]])
