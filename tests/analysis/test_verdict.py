"""The verdict: what a fit was bound by, from figures of which every number is known."""

from __future__ import annotations

from typing import Any

import pytest

import fittrace
from fittrace.analysis.code_line import CodeLine
from fittrace.analysis.verdict import Bound, FitFigures, figures_of, verdict
from fittrace.analysis.verdict.figures import BatchTimes, HookTime

MS = 1_000_000.0
SOME = BatchTimes(100)


def figures(
    *phases: tuple[str, float] | tuple[str, float, str],
    hooks: tuple[tuple[str, str, float, int], ...] = (),
    batches: dict[str, BatchTimes] | None = None,
    **more: Any,
) -> FitFigures:
    """Figures of a fit with its phases, each with its milliseconds and its stage, and its hooks."""
    times = {(phase[0], phase[2] if len(phase) > 2 else "train"): phase[1] * MS for phase in phases}
    hook_times = [HookTime(callback, hook, ms * MS, count) for callback, hook, ms, count in hooks]
    more.setdefault("epochs", 3)
    batches = {"train": SOME, "test": SOME} if batches is None else batches
    return FitFigures(more.pop("method", "fit"), phases=times, hooks=hook_times, batches=batches, **more)


def first(ms: float, **more: Any) -> dict[str, BatchTimes]:
    """Batches whose first takes `ms` milliseconds above the others."""
    return {"train": BatchTimes(100, first_ns=ms * MS, **more)}


SAMPLED = {"train": BatchTimes(100, sampled=4, sampled_ns=100 * MS, waited_ns=70 * MS)}
RETRACED = {"train": BatchTimes(100, retraced=9, retraced_ns=600 * MS, retraced_epoch=0, retraced_batch=5)}

JUDGED = [
    (figures(("slice", 700), ("function", 300)), Bound.INPUT, 0.7),
    (figures(("function", 700), ("slice", 300)), Bound.COMPUTE, 0.7),
    (figures(("function", 300), ("logs", 400), ("slice", 300)), Bound.COMPUTE, 0.7),
    (figures(("function", 700), ("batch", 300), fetches_inside=True), Bound.INPUT_OR_COMPUTE, 0.7),
    (figures(("function", 1000), fetches_inside=True, batches=SAMPLED), Bound.INPUT, 0.7),
    # Without a fetch inside of it, waiting for data in it is none of the engine's.
    (figures(("function", 1000), batches=SAMPLED), Bound.COMPUTE, 1.0),
    (figures(("function", 400), hooks=(("Mine", "on_epoch_end", 600, 3),)), Bound.CALLBACKS, 0.6),
    (figures(("function", 400), hooks=(("MyCheckpoint", "on_epoch_end", 600, 3),)), Bound.CHECKPOINTS, 0.6),
    (figures(("function", 400), ("function", 500, "test"), ("validation", 100)), Bound.VALIDATION, 0.6),
    (figures(("function", 1000), batches=first(800)), Bound.START, 0.8),
    (figures(("function", 400), ("prepare", 600)), Bound.START, 0.6),
    (figures(("function", 400), ("make_batches", 600), first_made_ns={"train": 600 * MS}), Bound.START, 0.6),
    (figures(("function", 400), ("make_batches", 600), first_made_ns={"train": 0.0}), Bound.GAPS, 0.6),
    (figures(("function", 1000), batches=RETRACED), Bound.RETRACING, 0.6),
    (figures(("function", 1000), batches=first(0, reopened_ns=600 * MS)), Bound.GAPS, 0.6),
    (figures(("function", 300), ("slice", 700), batches=first(0, refetched_ns=600 * MS)), Bound.GAPS, 0.6),
    (figures(("function", 400), ("epoch", 600)), Bound.GAPS, 0.6),
    (figures(("function", 400), ("epoch", 600), epochs=1), Bound.HOST, 0.6),
    (figures(("function", 400), ("batch", 300), ("hooks", 300)), Bound.HOST, 0.6),
    (figures(("function", 900), ("batch", 100), batches={"train": BatchTimes(1)}), Bound.SHORT, 0.9),
    (figures(("function", 350), ("prepare", 450), ("batch", 200), batches={"train": BatchTimes(1)}), Bound.SHORT, 0.8),
    (
        figures(
            ("function", 350, "predict"),
            ("prepare", 650, "predict"),
            batches={"predict": BatchTimes(1)},
            method="predict",
        ),
        Bound.START,
        0.65,
    ),
    (figures(("function", 5)), Bound.SHORT, 1.0),
    (figures(), Bound.SHORT, 0.0),
    (figures(("function", 25), ("slice", 25), ("prepare", 25), ("batch", 25)), Bound.UNCLEAR, 0.25),
    (figures(("function", 100, "test"), method="evaluate"), Bound.COMPUTE, 1.0),
]


@pytest.mark.parametrize(("given", "bound", "share"), JUDGED)
def test_what_a_fit_is_bound_by(given: FitFigures, bound: Bound, share: float) -> None:
    found = verdict(given)
    assert found.bound is bound and found.share == pytest.approx(share)


def test_every_bound_is_judged() -> None:
    assert {bound for _, bound, _ in JUDGED} == set(Bound)


def test_the_largest_parts_are_named_the_costliest_first() -> None:
    given = figures(("function", 800), ("slice", 60), hooks=(("Saver", "on_epoch_end", 140, 3),))
    assert verdict(given).sentence == (
        "Bound by compute: 80 % of the fit went to computing; "
        "14 % to hooks of callbacks, most of it Saver.on_epoch_end (140 ms in 3 calls)."
    )


def test_a_hook_is_named_only_if_it_explains_the_time() -> None:
    given = figures(("function", 400), hooks=(("A", "on_epoch_end", 250, 3), ("B", "on_epoch_end", 350, 3)))
    assert "most of it B.on_epoch_end (350 ms in 3 calls)" in verdict(given).sentence
    given = figures(("function", 100), hooks=tuple((name, "on_epoch_end", 300, 3) for name in "ABC"))
    assert verdict(given).sentence.startswith("Bound by callbacks: 90 % of the fit went to hooks of callbacks; ")
    assert "lists the slowest hooks" in str(verdict(given).next_step)


def test_a_hook_is_named_with_its_line() -> None:
    mine = HookTime("Mine", "on_epoch_end", 60 * MS, 3, CodeLine("/home/me/train\x1b.py", 12))
    found = verdict(FitFigures("fit", phases={("function", "train"): 40 * MS}, hooks=[mine], batches={"train": SOME}))
    assert r"Mine.on_epoch_end at train\x1b.py:12 (60 ms in 3 calls)" in found.sentence


def test_if_every_batch_is_traced_anew_all_of_them_are_retracing() -> None:
    every = {"train": BatchTimes(10, first_ns=100 * MS, retraced=9, retraced_ns=900 * MS, retraced_batch=1)}
    for fetches_inside in (False, True):
        found = verdict(figures(("function", 1000), batches=every, fetches_inside=fetches_inside))
        assert found.bound is Bound.RETRACING and found.share == pytest.approx(0.9)
        assert "90 % of the fit went to tracing the function anew in every batch, and computing in it" in found.sentence


@pytest.mark.parametrize(
    ("batches", "epochs", "choice"),
    [(100_000, 1, "every=50"), (1_000, 4, "every=50"), (300, 3, "every=20"), (12, 3, "every=1")],
)
def test_short_epochs_are_sampled_more_often(batches: int, epochs: int, choice: str) -> None:
    given = figures(("function", 1000), fetches_inside=True, batches={"train": BatchTimes(batches)}, epochs=epochs)
    assert f"--run-metadata {choice} samples" in str(verdict(given).next_step)


def test_samples_are_said_where_they_judge() -> None:
    assert (
        "judged by 4 sampled batches"
        in verdict(figures(("function", 1000), fetches_inside=True, batches=SAMPLED)).sentence
    )
    alone = {"train": BatchTimes(100, sampled=1, sampled_ns=100 * MS, waited_ns=70 * MS)}
    found = verdict(figures(("function", 1000), fetches_inside=True, batches=alone))
    assert found.bound is Bound.INPUT_OR_COMPUTE and "--run-metadata" in str(found.next_step)


@pytest.mark.parametrize(
    ("given", "step"),
    [
        (figures(("function", 1), hooks=(("TensorBoard", "on_train_batch_end", 99, 9),)), "update_freq='epoch'"),
        (figures(("function", 1), hooks=(("Mine", "on_epoch_end", 99, 9),)), "do less in Mine.on_epoch_end"),
        (figures(("slice", 100), engine="keras-3"), "PyDataset"),
        (figures(("slice", 100), engine="keras-2.2"), "fit_generator"),
        (figures(("function", 100), batches=SAMPLED, fetches_inside=True), "prefetch"),
        (figures(("prepare", 100)), "fit for longer"),
        (figures(("prepare", 100, "predict"), method="predict"), "call predict once"),
        (figures(("function", 1), ("batch", 99)), "steps_per_execution"),
    ],
)
def test_the_next_step_knows_engine_and_callback(given: FitFigures, step: str) -> None:
    assert step in str(verdict(given).next_step)


def test_names_from_a_trace_are_escaped() -> None:
    hooked = figures(("function", 1), hooks=(("A\x1b[2J", "on_\nx", 99, 9),))
    called = figures(("prepare", 99), method="\x1b[2J\n")
    for given in (hooked, called):
        said = verdict(given).sentence + str(verdict(given).next_step)
        assert "\x1b" not in said and "\n" not in said


@pytest.mark.parametrize("engine", ["keras-2.2", "tf-keras-v1", "tf-keras", "keras-3"])
def test_the_time_that_is_judged_is_that_of_the_fit(engine: str) -> None:
    from fittrace.analysis.verdict.spent import time_spent

    trace = fittrace.open(f"traces/reference-{engine}")
    fits = trace.fits().set_index("fit")
    for (_, _, fit), given in figures_of(trace).items():
        assert sum(time_spent(given).values()) == pytest.approx(fits.duration_ns[fit], rel=1e-9)
        found = verdict(given)
        assert (fits.bound[fit], fits.bound_share[fit]) == (found.bound.value, found.share)


def test_fits_of_a_folder_have_their_own_verdicts() -> None:
    fits = fittrace.open("traces").fits()
    for engine in ("keras-2.2", "keras-3"):
        alone = fittrace.open(f"traces/reference-{engine}").fits()
        mine = fits[fits.run == f"reference-{engine}"]
        assert mine.bound_share.tolist() == alone.bound_share.tolist()
        assert mine.bound.tolist() == alone.bound.tolist()
