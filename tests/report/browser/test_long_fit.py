"""A page of a million batches in a real browser: small, and open to every batch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from synthetic import Size, make

import fittrace
from report.browser.conftest import PageOpener, expect

BATCHES = 1_000_000
MOST_BYTES = 4_000_000


@pytest.mark.slow
def test_a_million_batches_are_walked_from_the_whole_fit_to_one_batch(open_page: PageOpener, tmp_path: Path) -> None:
    (folder,) = make(tmp_path, Size(BATCHES, epochs=10))
    file = fittrace.open(folder).report().save(tmp_path / "page.html")
    assert file.stat().st_size < MOST_BYTES
    page = open_page.file(file)
    charts = page.locator(".charts")
    expect(charts).to_have_attribute("aria-valuemax", str(BATCHES - 1))
    page.get_by_role("button", name="Slowest", exact=True).click()
    expect(page.locator("#batch .bar").nth(3)).to_be_visible()
    charts.focus()
    page.keyboard.press("End")
    expect(page.locator(".readout")).to_have_text(re.compile("^epoch 9, batch 99,999: "))
    for _ in range(40):
        page.keyboard.press("+")
    first, until = page.eval_on_selector(".charts", "({ dataset }) => [Number(dataset.first), Number(dataset.until)]")
    assert 0 < until - first < 64
