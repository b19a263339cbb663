"""Stepping through a fit with the keyboard, in a real browser."""

from __future__ import annotations

from typing import Any

import fittrace
from report.browser.conftest import PageOpener


def shown_step(page: Any) -> Any:
    """The line that the replay marks, and the step that the address names."""
    page.wait_for_timeout(500)
    return int(page.locator("#replay [aria-current=step]").first.get_attribute("data-line")), page.url.partition("#")[2]


def test_keys_move_through_the_steps_and_the_address_follows(open_page: PageOpener) -> None:
    replay = fittrace.open("traces/reference-keras-3").replay()
    page = open_page("traces/reference-keras-3")
    page.locator("#replay .player").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert shown_step(page) == (replay[4].line, "fit=0&step=4")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    replay.position = 3
    replay.over()
    step = replay.over()
    assert step is not None
    assert shown_step(page) == (step.line, f"fit=0&step={step.index}")
    assert f"step {step.index} of {len(replay):,}" in page.locator("#replay .step-where").inner_text()
    page.keyboard.press("Home")
    assert shown_step(page) == (replay[0].line, "fit=0&step=0")


def test_an_address_leads_to_its_step_in_the_replay_and_in_the_source(open_page: PageOpener) -> None:
    replay = fittrace.open("traces/reference-keras-3").replay()
    step = replay[5]
    page = open_page("traces/reference-keras-3", "#fit=0&step=5")
    assert shown_step(page)[0] == step.line
    assert page.locator("#source [aria-current=step]").first.get_attribute("data-line") == str(step.line)
    assert page.locator("#source .has-step").inner_text().startswith(step.function)
