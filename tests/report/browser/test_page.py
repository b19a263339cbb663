"""The page as a whole, in a real browser."""

from __future__ import annotations

import re

import pytest

from report.browser.conftest import PageOpener, expect

ENGINES = ("keras-2.2", "tf-keras-v1", "tf-keras", "keras-3")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_page_of_each_engine_opens_without_a_request_or_a_complaint(open_page: PageOpener, engine: str) -> None:
    shown = open_page(f"traces/reference-{engine}")
    expect(shown).to_have_title(re.compile(f"reference-{engine}"))
    expect(shown.locator("h2").nth(1)).to_be_visible()


def test_the_policy_forbids_other_scripts(open_page: PageOpener) -> None:
    shown = open_page("traces/reference-keras-3")
    ran = shown.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            return window.ran === true;
        }"""
    )
    assert not ran
    assert "violates the following Content Security Policy" in open_page.complaints.pop()
