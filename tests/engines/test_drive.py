"""Every engine's recorded hooks, driven: what a callback of the run saw, another sees again without training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fittrace
from engines.conftest import Trained
from fittrace.replay import Stop

pytestmark = pytest.mark.slow


class Witness:
    """Writes down the hooks that the program's own `Witness` does, in the same words."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.hooks: list[list[Any]] = []
        self.stop_at = stop_at

    def set_model(self, model: Any) -> None:
        self.model = model

    def on_train_begin(self, logs: dict[str, Any]) -> None:
        self.hooks.append(["on_train_begin", None])

    def on_train_end(self, logs: dict[str, Any]) -> None:
        self.hooks.append(["on_train_end", None])

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any]) -> None:
        self.hooks.append(["on_epoch_begin", epoch])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        self.hooks.append(["on_epoch_end", epoch])

    def on_batch_begin(self, batch: int, logs: dict[str, Any]) -> None:
        self.hooks.append(["batch_begin", batch])

    def on_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        self.hooks.append(["batch_end", batch])
        assert logs["loss"] >= 0
        if self.stop_at == batch:
            self.model.stop_training = True


SCENARIOS = ("validating", "splitting", "stopping")


def test_the_hooks_are_those_of_the_run(trained: Trained) -> None:
    for scenario in SCENARIOS:
        number, fit = trained.fit(scenario)
        witness = Witness()
        driven = fittrace.drive(trained.trace, [witness], fit=number)
        assert witness.hooks == [[hook, at] for hook, at, _ in fit["hooks"]], scenario
        assert driven.stop is None


def test_the_logs_of_epochs_are_those_of_the_history(trained: Trained) -> None:
    for scenario in SCENARIOS:
        number, fit = trained.fit(scenario)
        history = fittrace.drive(trained.trace, [], fit=number).history
        assert set(history) >= set(fit["history"])
        for key, values in fit["history"].items():
            # The program's history holds float32 where the engine gave it such.
            assert np.allclose(history[key].dropna(), values, rtol=1e-6, atol=0), (scenario, key)


def test_a_stop_ends_it_as_it_ended_the_run(trained: Trained) -> None:
    """The run `stopping` was stopped after batch 1; the run `validating`, driven to stop there, sees the same hooks."""
    _, stopped = trained.fit("stopping")
    number, _ = trained.fit("validating")
    witness = Witness(stop_at=1)
    driven = fittrace.drive(trained.trace, [witness], fit=number)
    assert isinstance(driven.stop, Stop)
    assert (driven.stop.last_epoch, driven.stop.last_batch) == (0, 1)
    # But for the end of the epoch, whose logs such a run alone would have made.
    assert witness.hooks == [[hook, at] for hook, at, _ in stopped["hooks"] if hook != "on_epoch_end"]
