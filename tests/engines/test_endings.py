"""Every engine: who stopped a fit, and where an exception left it."""

from __future__ import annotations

import pytest
from named_rows import named_rows

from .conftest import Trained

pytestmark = pytest.mark.slow


def test_the_stop_is_told_with_its_callback_and_batch(trained: Trained) -> None:
    fit, _ = trained.fit("stopping")
    (stop,) = named_rows(trained.of("stops", fit))
    assert (stop.stage, stop.epoch, stop.batch, stop.value, stop.callback) == ("train", 0, 1, "True", "Witness")
    (hook,) = named_rows(trained.of("hooks", fit, span=stop.span))
    assert (hook.callback, hook.hook, hook.batch, hook.position) == ("Witness", stop.hook, 1, stop.position)
    assert stop.hook.endswith("batch_end")


def test_nobody_else_stopped(trained: Trained) -> None:
    stops = trained.trace.stops()
    fit, _ = trained.fit("stopping")
    assert set(stops[stops.value == "True"].fit) == {fit}
    # The next fit of the model begins with taking it back.
    assert set(stops[stops.value == "False"].position) == {-1}


def test_fits_end_as_the_program_saw(trained: Trained) -> None:
    for scenario, seen, fit in zip(trained.scenarios(), trained.traced.seen["fits"], named_rows(trained.trained)):
        raised = seen["raised"]
        assert (fit.status == "error") == (raised is not None), scenario
        assert raised is None or fit.error == raised.strip().splitlines()[-1]


def test_a_hook_that_raises_is_where_its_fit_ends(trained: Trained) -> None:
    for scenario in trained.scenarios("raising_"):
        fit, seen = trained.fit(scenario)
        failed = trained.of("spans", fit, status="error").sort_values("span")
        if seen["raised"] is None:
            assert failed.empty  # the engine does not know this hook
            continue
        deepest = failed.iloc[-1]
        wanted = scenario.removeprefix("raising_on_").replace("train_batch", "batch")
        assert deepest.callback == "Raising", scenario
        assert deepest.hook.removeprefix("on_").replace("train_batch", "batch") == wanted
        # Each lies in the one before, from the root on.
        assert failed.parent.tolist()[1:] == failed.span.tolist()[:-1]
        spans = trained.of("spans", fit)
        assert (spans.start_ns <= deepest.start_ns + deepest.duration_ns).all()


def test_every_hook_that_the_engine_has_was_made_to_raise(trained: Trained) -> None:
    raised = [name for name in trained.scenarios("raising_") if trained.fit(name)[1]["raised"]]
    # Until then the validation of Keras itself calls no hooks.
    validates_without = trained.engine.name == "keras-2.2" and trained.trained.engine_version.iloc[0] < "2.2.5"
    assert len(raised) == (6 if validates_without else 10)


def test_hdf5_in_the_wrong_order_fails_in_the_slice(trained: Trained) -> None:
    if not trained.engine.loops_over_arrays:
        pytest.skip("it does not slice HDF5")
    fit, seen = trained.fit("hdf5_True")
    assert 'pass shuffle="batch"' in seen["raised"]
    failed = trained.of("spans", fit, status="error").sort_values("span")
    assert failed.iloc[-1].phase == "slice" and failed.iloc[-1].batch == 0
    fit, seen = trained.fit("hdf5_batch")
    assert seen["raised"] is None and trained.of("batches", fit)["size"].sum() == 50
