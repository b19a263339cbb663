"""Engines that loop over arrays: the samples of each batch are those that the train function was fed."""

from __future__ import annotations

import pytest
from named_rows import named_rows

from fittrace.tables import UnknownSamples

from .conftest import Trained

pytestmark = pytest.mark.slow


def test_samples_are_those_that_were_fed(trained: Trained) -> None:
    for scenario in trained.scenarios("samples_"):
        fit, seen = trained.fit(scenario)
        batches = trained.of("batches", fit, stage="train")
        told = [trained.trace.batch_samples(fit, row.epoch, row.batch).tolist() for row in named_rows(batches)]
        assert told == seen["samples"], scenario
        assert sorted(sample for batch in told for sample in batch) == sorted([*range(50), *range(50)])
    assert bool(trained.scenarios("samples_")) == trained.engine.loops_over_arrays


def test_an_order_that_is_none_is_one_row(trained: Trained) -> None:
    if trained.engine.loops_over_arrays:
        fit, _ = trained.fit("samples_False")
        assert trained.of("samples", fit)[["position", "sample", "count"]].values.tolist() == [[0, 0, 50]] * 2


def test_validation_has_its_samples_too(trained: Trained) -> None:
    if trained.engine.loops_over_arrays:
        fit, _ = trained.fit("validating")
        told = [trained.trace.batch_samples(fit, 1, batch, stage="test").tolist() for batch in (0, 1)]
        assert sorted(told[0] + told[1]) == list(range(20))
        # `tf.keras` shuffles what it validates on.
        assert (told[0] == list(range(16))) == (trained.engine.name == "keras-2.2")


@pytest.mark.parametrize("scenario", ["validating", "in_steps", "generator"])
def test_what_is_not_told_is_an_error_in_words(trained: Trained, scenario: str) -> None:
    fit, _ = trained.fit(scenario)
    if scenario == "validating" and trained.engine.loops_over_arrays:
        return
    with pytest.raises(UnknownSamples, match=f"fit {fit}, epoch 0, batch 1: {trained.engine.name} does not tell"):
        trained.trace.batch_samples(fit, 0, 1)
