"""The page for everyone: axe finds no violations, in both colour schemes and at the width of a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from report.browser.conftest import PageOpener

AXE = Path(".node/node_modules/axe-core/axe.min.js")
PLACE = "#fit=0&epoch=1&batch=3&step=4"

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: scripts/env page")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 380])
def test_axe_finds_no_violations(open_page: PageOpener, scheme: str, width: int) -> None:
    shown = open_page("traces/reference-keras-3", PLACE, color_scheme=scheme, viewport={"width": width, "height": 900})
    shown.evaluate("document.querySelectorAll('details').forEach((closed) => (closed.open = true))")
    shown.wait_for_function("[...document.querySelectorAll('details')].every((open) => open.childElementCount > 1)")
    shown.evaluate(AXE.read_text("utf-8"))
    result = shown.evaluate("axe.run({ resultTypes: ['violations'] })")
    found = [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
    assert found == []
