"""What happened: the head, the findings' links, the callbacks and the ops, in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from fittrace.open_trace import Trace
from fittrace.report import document
from fittrace.report.model.findings import EnginePlace, PageFinding
from report.browser.conftest import PageOpener, expect

KERAS_3 = "traces/reference-keras-3"
FILE = "keras/src/backend/tensorflow/trainer.py"


@pytest.fixture(scope="module")
def made() -> Any:
    """The document of the reference trace, with a finding that it does not have of itself."""
    document_ = document(Trace.open(KERAS_3))
    (run,) = document_.runs
    source = run.fits[0].source
    assert source is not None
    line = next(
        statement.line
        for function in source.functions
        if function.name == "TensorFlowTrainer.fit"
        for statement in function.statements
        if statement.line > 380
    )
    finding = PageFinding(
        rule="made-up",
        message="is <b>slow</b>",
        effect="it waits",
        remedy="run",
        threads=("https://github.com/keras-team/keras/issues/7", "javascript:alert(1)"),
        fit=0,
        ordinal=80,
        epoch=0,
        batch=5,
        callback="ModelCheckpoint",
        hook="on_epoch_end",
        defined=None,
        place=EnginePlace(FILE, line, "TensorFlowTrainer.fit", f"{FILE}:{line} in TensorFlowTrainer.fit"),
    )
    return replace(document_, runs=[replace(run, findings=[finding])])


def test_a_finding_leads_to_its_batch_its_hook_and_its_line(open_page: PageOpener, made: Any) -> None:
    shown = open_page(made)
    finding = shown.locator(".findings li")
    expect(finding).to_contain_text("ModelCheckpoint.on_epoch_end is <b>slow</b>")
    finding.get_by_text("epoch 0, batch 5").click()
    # The ordinal counts batches of all stages: after the 75 of the first epoch come those of its validation.
    expect(shown).to_have_url(re.compile("#fit=0&stage=test&epoch=0&batch=5$"))
    expect(shown.locator("#timeline")).to_be_focused()
    finding.get_by_text("ModelCheckpoint.on_epoch_end").click()
    pressed = shown.locator('.heat button[aria-pressed="true"]')
    expect(pressed).to_have_attribute("title", re.compile("^ModelCheckpoint.on_epoch_end: 515 ms in 6 calls"))
    finding.get_by_text("TensorFlowTrainer.fit").click()
    line = made.runs[0].findings[0].place.line
    expect(shown.locator(f'#source [data-line="{line}"]').first).to_be_in_viewport(ratio=0.9)


def test_only_addresses_of_issues_are_links(open_page: PageOpener, made: Any) -> None:
    links = open_page(made).locator(".findings a[href^='https:'], .findings a[href^='javascript:']")
    assert [link.get_attribute("href") for link in links.all()] == ["https://github.com/keras-team/keras/issues/7"]


def test_the_first_screen_says_where_the_time_went(open_page: PageOpener) -> None:
    shown = open_page(KERAS_3)
    verdict = shown.locator(".verdict")
    expect(verdict).to_contain_text("Bound by start-up: 35 % of the fit went to starting")
    expect(shown.locator(".next-step")).to_contain_text("Next step: fit for longer")
    assert verdict.bounding_box()["y"] < 250
    widths = [part.bounding_box()["width"] for part in shown.locator(".parts > span").all()]
    assert sum(widths) == pytest.approx(shown.locator(".parts").bounding_box()["width"], abs=len(widths))
    assert widths[0] == pytest.approx(0.308 * sum(widths), rel=0.02)


def test_another_fit_is_chosen_by_keyboard(open_page: PageOpener) -> None:
    shown = open_page(KERAS_3)
    expect(shown.locator("#callbacks")).to_have_count(1)
    shown.get_by_label("Fit", exact=True).focus()
    shown.keyboard.press("ArrowDown")
    expect(shown.locator("#overview")).to_contain_text("evaluate 1 · keras-3")
    expect(shown).to_have_url(re.compile("fit=1"))
    # An evaluate without callbacks has no such section, and no link to it.
    expect(shown.locator("#callbacks")).to_have_count(0)
    expect(shown.locator("header nav")).not_to_contain_text("Callbacks × hooks")


def test_links_to_sections_keep_the_address(open_page: PageOpener) -> None:
    shown = open_page(KERAS_3, "#fit=0&epoch=1&batch=3", viewport={"width": 380, "height": 700})
    shown.locator("header nav a", has_text="Notes").click()
    expect(shown).to_have_url(re.compile("#fit=0&epoch=1&batch=3$"))
    expect(shown.locator("#notes")).to_be_focused()
    assert shown.evaluate("document.documentElement.scrollWidth") == 380


def test_arrow_keys_and_enter_choose_a_hook(open_page: PageOpener) -> None:
    shown = open_page(KERAS_3)
    first = shown.locator(".heat tbody button").first
    expect(shown.locator('.heat button[tabindex="0"]')).to_have_count(1)
    first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        shown.keyboard.press(key)
    focused = shown.locator(".heat button:focus")
    expect(focused).to_have_attribute("title", re.compile("^ModelCheckpoint.on_train_batch_end:"))
    shown.keyboard.press("Enter")
    expect(focused).to_have_attribute("aria-pressed", "true")
    shown.keyboard.press("Enter")
    expect(focused).to_have_attribute("aria-pressed", "false")


def test_ops_of_a_chosen_batch_are_drawn_and_listed(open_page: PageOpener) -> None:
    shown = open_page(KERAS_3)
    ops = shown.locator("#ops")
    expect(ops.locator("rect")).to_have_count(249)
    ops.locator("select").select_option(label="epoch 0, batch 0, 1.58 s")
    expect(ops.locator("rect")).to_have_count(381)
    expect(shown).to_have_url(re.compile("batch=0"))
    ops.locator("summary", has_text="as a table").click()
    expect(ops.locator("table", has_text="in order of start").locator("tbody tr")).to_have_count(381)
