"""What more is done on demand costs: `--values all`, `--lines callbacks` and `--otlp`, beside capture as it comes.

For each engine there is a process with each of them, as for `fit` with capture, and the processes take turns. The goal
is for `--otlp` in the fit that capture's own goal is for, without callbacks; that is measured in many short turns, and
in fits that are longer, of which the spans of the fit and its epoch are a smaller part.
"""

from __future__ import annotations

from . import processes
from .table import Row, ratios
from .turns import LONG, LOOP

_CALLBACKS = 2
_SETTINGS = {
    "as it comes": (),
    "--values all": ("all",),
    "--lines callbacks": ("basic", "callbacks"),
    "--otlp": ("live",),
}
_GOALS = {"--otlp": 1.02}
_ROUNDS = 10
_PAIRS = {"": 160, "_long": 120}
"""By the end of the fits' names."""


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
        alone: dict[tuple[str, str], list[float]] = {}
        for name in _GOALS:
            for long, pairs in _PAIRS.items():
                asked = [
                    workers[name].ask(f"0 plain{long} traced{long}") for _ in range(pairs // 20 if quick else pairs)
                ]
                alone[name, long] = [one for taken in asked for one in _ratio(taken, long)]
        for worker in workers.values():
            worker.close()
        for name in workers:
            rows.append(Row(f"{engine}, {name}: fit with capture over without", ratio[name], "×", digits=3))
            if name in _GOALS:
                rows.append(Row("the same without callbacks", alone[name, ""], "×", _GOALS[name], digits=3))
                what = f"the same without callbacks, {LONG} batches"
                rows.append(Row(what, alone[name, "_long"], "×", _GOALS[name], digits=3))
            rows.append(Row("capture's share of a batch, in a loop that trains nothing", share[name], "µs", digits=1))
    return rows


def _ratio(taken: dict[str, dict[str, float]], long: str = "") -> list[float]:
    return ratios([taken["traced" + long]["wall"]], [taken["plain" + long]["wall"]])
