"""The page in the frame that a notebook shows, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import fittrace
from report.browser.conftest import expect


def test_the_page_works_in_a_frame(browser: Any, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    frame = fittrace.open("traces/reference-keras-3").report()._repr_html_()
    notebook.write_text(f"<!doctype html><meta charset='utf-8'><title>notebook</title>{frame}", "utf-8")
    shown = browser.new_page()
    complaints: list[str] = []
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.goto(notebook.as_uri())
    page = shown.frame_locator("iframe")
    page.locator("[data-ready]").first.wait_for(timeout=20_000)
    # What changes the address of a page of its own must not fail in a frame, which has none.
    page.locator('#batch button:has-text("Slowest")').first.click()
    expect(page.locator("#batch h3")).to_have_text(re.compile("^epoch"))
    address = shown.url
    shown.close()
    assert complaints == [] and address == notebook.as_uri()
