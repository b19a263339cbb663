"""Stepping through a fit with the keyboard, in a real browser."""

from __future__ import annotations

import re
from typing import Any

import fittrace
from report.browser.conftest import PageOpener, expect


def expect_step(page: Any, step: Any) -> None:
    """Wait until the replay marks the line of a step, and the address names it."""
    expect(page.locator("#replay [aria-current=step]").first).to_have_attribute("data-line", str(step.line))
    expect(page).to_have_url(re.compile(f"#fit=0&step={step.index}$"))


def test_keys_move_through_the_steps_and_the_address_follows(open_page: PageOpener) -> None:
    replay = fittrace.open("traces/reference-keras-3").replay()
    page = open_page("traces/reference-keras-3")
    page.locator("#replay .player").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect_step(page, replay[4])
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    replay.position = 3
    replay.over()
    step = replay.over()
    assert step is not None
    expect_step(page, step)
    expect(page.locator("#replay .step-where")).to_contain_text(f"step {step.index} of {len(replay):,}")
    page.keyboard.press("Home")
    expect_step(page, replay[0])


def test_an_address_leads_to_its_step_in_the_replay_and_in_the_source(open_page: PageOpener) -> None:
    replay = fittrace.open("traces/reference-keras-3").replay()
    step = replay[5]
    page = open_page("traces/reference-keras-3", "#fit=0&step=5")
    expect_step(page, step)
    expect(page.locator("#source [aria-current=step]").first).to_have_attribute("data-line", str(step.line))
    assert step.function is not None
    expect(page.locator("#source .has-step")).to_have_text(re.compile(f"^{re.escape(step.function)}"))
