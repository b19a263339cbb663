"""What a signal handler raises, or another thread, comes out of a fit, wherever in fittrace's own code it comes up.

There it looks like a fault of fittrace. None of them is caught, and the trace of what they interrupt is whole.
"""

from __future__ import annotations

import sys

import pytest

from .processes import HERE, PROGRAMS, Pair, run_both

ENGINE = HERE.parent / "crash" / "engine"
ROUNDS = 6


EVERYTHING = ("--values", "all", "--lines", "callbacks", "--memory", "full")


@pytest.fixture(scope="module", params=[(), EVERYTHING], ids=["", "all recorded"])
def alarmed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Fits that are interrupted, in each of several ways some times at random moments."""
    pytest.importorskip("fittrace.capture._native", reason="in Python a frame may stay open; no C compiler?")
    folder = tmp_path_factory.mktemp("alarms")
    command = [str(PROGRAMS / "alarms.py"), str(len(request.param)), str(ROUNDS)]
    return run_both(folder, command, ENGINE, options=request.param)


def test_each_comes_out_once(alarmed: Pair) -> None:
    assert alarmed.plain.returncode == 0, alarmed.plain.stderr
    assert alarmed.traced.returncode == 0, alarmed.traced.stderr
    assert alarmed.traced.stdout == alarmed.plain.stdout
    assert f"raised {7 * ROUNDS} and in C {ROUNDS}" in alarmed.traced.stdout


def test_nothing_is_taken_for_a_fault(alarmed: Pair) -> None:
    assert alarmed.trace.notes().empty


# Python's compiler leaves the jump at the end of a `while` out of the `try` around it.
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.12 and later run no handler at the end of a while")
def test_every_fit_has_ended_and_none_is_inside_another(alarmed: Pair) -> None:
    fits = alarmed.fits
    assert fits.parent_fit.isna().all()
    through = int(alarmed.traced.stderr.rpartition(":")[2])
    ended, failed = ((fits.status == status).sum() for status in ("ok", "error"))
    assert ended + failed == len(fits) and failed > 0
    # A few came before a fit had begun, or when it had ended.
    assert through <= ended and ended + failed <= through + 8 * ROUNDS


def test_the_fit_after_them_is_whole(alarmed: Pair) -> None:
    last = int(alarmed.fits.fit.iloc[-1])
    hooks = alarmed.of("hooks", last)
    assert hooks.hook.value_counts()["on_train_batch_end"] == 100
    logs = alarmed.of("logs", last)
    assert (logs.key == "list").sum() > 0
