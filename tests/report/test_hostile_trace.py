"""A trace from a stranger as a page: hostile texts in all columns leave the page as it is, and readable."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import hostile

from fittrace.report import document, page
from fittrace.report.packing import unpacked
from fittrace.tables import TraceTables


@pytest.mark.parametrize("everything", [False, True])
def test_hostile_texts_stay_texts(tmp_path: Path, everything: bool) -> None:
    html = page(document(TraceTables.open(hostile.make(tmp_path, everything))))
    before, _, rest = html.partition('id="data">')
    data, _, after = rest.partition("<")
    assert "alert(1)" not in before + after
    shown = unpacked(data)
    assert [fit["batches"] for fit in shown["runs"][0]["fits"]]
    assert not hostile.harmful(str(shown))
