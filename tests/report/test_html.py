"""The parts of the page that need no browser: its scripts, its styles and its policy."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest

from fittrace.open_trace import Trace
from fittrace.report import document, page

PARTS = Path("fittrace/report/page")
DEFINITION = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def html() -> str:
    return page(document(Trace.open("traces/reference-keras-3")))


def test_no_two_scripts_give_the_same_name() -> None:
    # Of two functions with one name, the later one would silently take the place of the other.
    names = Counter(name for script in PARTS.glob("*.js") for name in DEFINITION.findall(script.read_text("utf-8")))
    assert [name for name, times in names.items() if times > 1] == []


def test_every_script_and_style_is_in_the_page(html: str) -> None:
    for part in [*PARTS.glob("*.js"), *PARTS.glob("*.css")]:
        assert part.read_text("utf-8") in html, part.name


def test_the_policy_names_what_is_in_the_page_and_nothing_else(html: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].replace("&#39;", "'").split("; "))
    assert rules.keys() == {"default-src", "script-src", "style-src", "base-uri", "form-action"}
    assert {rules[name] for name in ("default-src", "base-uri", "form-action")} == {"'none'"}
    for tag, name in (("script", "script-src"), ("style", "style-src")):
        hashes = [
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for text in re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        ]
        assert rules[name].split() == hashes
