"""Green threads run as they would, also where a library has put them in the place of Python's threads.

To a trace each of them is a thread.
"""

from __future__ import annotations

import pytest

from .processes import HERE, PROGRAMS, Pair, run_both

ENGINE = HERE.parent / "crash" / "engine"


@pytest.fixture(scope="module", params=["gevent-first", "gevent-late", "eventlet-first", "eventlet-late", "greenlet"])
def green(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The program over a library that replaces Python's threads before or after the engine is imported."""
    folder = tmp_path_factory.mktemp(request.param)
    return run_both(folder, [str(PROGRAMS / "green.py"), request.param], ENGINE, PYTHONWARNINGS="ignore")


def test_they_take_turns_as_they_would(green: Pair) -> None:
    assert green.plain.returncode == 0, green.plain.stderr
    assert green.traced == green.plain
    order = [line.rpartition(" ")[0] for line in green.plain.stdout.splitlines()]
    assert order.index("green 1") < order.index("main again") and order[:40] != sorted(order[:40])


def test_each_fit_has_the_batches_of_its_own(green: Pair) -> None:
    counts = {2 * 10: 2, 2 * 20: 1, 2 * 21: 1, 2 * 5: 2}
    if "late" not in green.plain.stdout:
        del counts[2 * 5]
    assert green.fits.batches.value_counts().to_dict() == counts


def test_no_fit_is_inside_another(green: Pair) -> None:
    assert green.fits.parent_fit.isna().all()
    assert set(green.fits.status) == {"ok"}
    assert green.trace.notes().empty


def test_green_threads_that_come_one_after_the_other_are_one_thread(green: Pair) -> None:
    threads = green.fits.groupby("batches").thread.nunique()
    assert set(threads) == {1}
