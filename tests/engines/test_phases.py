"""Every engine: each phase that it has is a span, where and when it has it."""

from __future__ import annotations

import pytest

from .conftest import Trained

pytestmark = pytest.mark.slow

EVERYWHERE = {
    "fit", "prepare", "configure_callbacks", "epoch", "make_batches", "batch", "slice", "function", "logs", "hooks",
    "validation", "stop",
}  # fmt: skip
PHASES = {
    "keras-3": EVERYWHERE,
    "tf-keras": EVERYWHERE,
    "tf-keras-v1": EVERYWHERE | {"shuffle", "to_dense"},
    "keras-2.2": EVERYWHERE | {"shuffle", "to_dense"},
}


def is_before(trained: Trained, version: str) -> bool:
    """Whether the engine is a Keras older than `version`."""
    numbers = [tuple(map(int, text.split("."))) for text in (trained.trained.engine_version.iloc[0], version)]
    return trained.engine.name == "keras-2.2" and numbers[0] < numbers[1]


def test_phases_are_those_of_the_engine(trained: Trained) -> None:
    fit, _ = trained.fit("validating")
    phases = set(trained.of("spans", fit).phase)
    expected = set(PHASES[trained.engine.name])
    if is_before(trained, "2.1"):
        expected.remove("to_dense")  # sparse inputs were not turned dense yet
    assert phases - {"evaluate"} == expected


def test_validation_is_a_phase_where_something_validates(trained: Trained) -> None:
    spans = trained.trace.spans()
    phases = spans[spans.phase == "validation"]
    batches = spans[(spans.phase == "batch") & (spans.stage == "test")]
    # One that is raised in may have come no further.
    fits = trained.trace.fits().query("method == 'fit' and status == 'ok'").fit
    found = [set(zip(some.fit, some.epoch)) for some in (one[one.fit.isin(fits)] for one in (phases, batches))]
    assert found[0] == found[1] and set() != {fit for fit, _ in found[0]} < set(fits)


def test_the_function_of_the_backend_is_seen_from_inside(trained: Trained) -> None:
    fit, _ = trained.fit("validating")
    named = trained.of("spans", fit, phase="function").name
    if trained.engine.name == "keras-2.2" and is_before(trained, "2.3"):
        assert "Function.__call__" in set(named)
        if not is_before(trained, "2.2"):
            assert {"Function._call", "convert", "_callable_fn"} <= set(named)
            # The training function and the test function each make their callable once.
            assert (named == "Function._make_callable").sum() == 2
    if trained.engine.name == "tf-keras-v1":
        assert {"GraphExecutionFunction.__call__", "convert", "_callable_fn"} <= set(named)
        assert (named == "GraphExecutionFunction._make_callable").sum() == 2


def test_shuffling_is_a_phase_before_the_batches_are_cut(trained: Trained) -> None:
    if not trained.engine.loops_over_arrays:
        pytest.skip("it shuffles inside its data pipeline")
    for scenario in ("samples_True", "samples_batch"):
        fit, _ = trained.fit(scenario)
        spans = trained.of("spans", fit)
        per_epoch = spans[spans.phase.isin(["shuffle", "make_batches"])]
        assert per_epoch.groupby("epoch").phase.agg(list).tolist() == [["shuffle", "make_batches"]] * 2


def test_sparse_inputs_are_turned_dense_in_a_phase(trained: Trained) -> None:
    if not trained.engine.loops_over_arrays or is_before(trained, "2.1"):
        pytest.skip("it does not turn sparse inputs dense in its loop")
    fit, _ = trained.fit("sparse")
    batches = trained.of("batches", fit)
    assert (batches.to_dense_ns > 0).all() and batches["size"].tolist() == [16, 16, 16, 2]


def test_generators_are_fetched_from_in_the_slice_phase(trained: Trained) -> None:
    fit, _ = trained.fit("generator")
    batches = trained.of("batches", fit)
    assert batches.groupby(["stage", "epoch"], observed=True).batch.agg(list).to_dict() == {
        ("train", 0): [0, 1, 2], ("train", 1): [0, 1, 2], ("test", 0): [0, 1], ("test", 1): [0, 1],
    }  # fmt: skip
    assert (batches[["slice_ns", "function_ns"]] > 0).all().all()
    assert batches.first_sample.isna().all()


def test_evaluate_and_predict_over_generators_have_their_batches(trained: Trained) -> None:
    fits = trained.trace.fits()
    over_generators = fits[fits.method != "fit"].head(2)
    assert over_generators.method.tolist() == ["evaluate", "predict"]
    assert over_generators.batches.tolist() == [2, 2]
    for fit in over_generators.fit:
        assert (trained.of("batches", fit)[["slice_ns", "function_ns"]] > 0).all().all()


def test_a_step_on_one_batch_prepares_in_a_phase_of_its_own(trained: Trained) -> None:
    fit, _ = trained.fit("generator")
    spans = trained.of("spans", fit)
    named = spans[spans.name.str.endswith("train_on_batch")]
    if trained.engine.loops_over_arrays:
        assert named.query("phase == 'prepare'").groupby("epoch").size().tolist() == [3, 3]
    else:
        assert named.empty  # these loop over generators as over anything else


def test_epochs_by_their_old_name_are_all_there(trained: Trained) -> None:
    if trained.engine.argument != "keras":
        pytest.skip("no argument nb_epoch")
    fit, seen = trained.fit("nb_epoch")
    assert seen["raised"] is None
    assert trained.trained.set_index("fit").epochs[fit] == 2
    assert trained.of("batches", fit).batch.tolist() == [0, 1, 2, 3] * 2


def test_the_learning_phase_is_no_sample(trained: Trained) -> None:
    fit, _ = trained.fit("learning_phase")
    batches = trained.of("batches", fit)
    assert batches["size"].tolist() == [16, 16, 16, 2, 16, 4]


def test_steps_have_their_numbers(trained: Trained) -> None:
    fit, _ = trained.fit("in_steps")
    steps = [0, 1, 2] if trained.engine.loops_over_arrays else [0, 1]
    assert trained.of("batches", fit).groupby("epoch").batch.agg(list).tolist() == [steps, steps]
