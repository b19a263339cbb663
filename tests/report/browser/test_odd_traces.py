"""Pages of odd fits and of strangers' traces in a real browser: each opens, and asks for nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from reading import hostile
from synthetic import Size, make

from fittrace.open_trace import Trace
from fittrace.schema import run_facts
from report.browser.conftest import PageOpener, expect

ODD = {
    "one batch": Size(1, epochs=1),
    "200 callbacks": Size(4, callbacks=200),
    "500 keys": Size(4, keys=500),
    "20 processes": Size(40, processes=20),
}


@pytest.mark.slow  # to make so many epochs takes its time
def test_very_many_epochs_are_walked(open_page: PageOpener, tmp_path: Path) -> None:
    shown = open_page(make(tmp_path, Size(5_000, epochs=5_000))[0])
    shown.get_by_role("button", name="Slowest", exact=True).click()
    expect(shown.locator("#batch h3")).to_have_text(re.compile(r"^epoch [\d,]+, batch 0$"))


@pytest.mark.parametrize("name", ODD)
def test_an_odd_fit_is_walked(open_page: PageOpener, tmp_path: Path, name: str) -> None:
    shown = open_page(make(tmp_path, ODD[name])[0])
    shown.get_by_role("button", name="Slowest", exact=True).click()
    expect(shown.locator("#batch h3")).to_be_visible()
    assert shown.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_run_without_fits_says_so(open_page: PageOpener, tmp_path: Path) -> None:
    facts = run_facts.new(str(tmp_path), "empty", ["train.py"], "python", "0")
    run_facts.end(str(tmp_path), facts, exit_code=0, signal=None)
    expect(open_page(tmp_path).locator("main")).to_contain_text("No fit, evaluate or predict was called")


@pytest.mark.parametrize("everything", [False, True])
def test_hostile_texts_are_shown_as_text(open_page: PageOpener, tmp_path: Path, everything: bool) -> None:
    shown = open_page(Trace.open(hostile.make(tmp_path, everything)))
    shown.evaluate("document.querySelectorAll('details').forEach((closed) => (closed.open = true))")
    shown.get_by_role("button", name="Slowest", exact=True).click()
    expect(shown.locator("#batch h3")).to_be_visible()
    expect(shown.locator("img, iframe, object, embed")).to_have_count(0)
