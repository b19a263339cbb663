"""What a notebook shows of a trace: the display, and the page in a frame."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from reading import hostile
from reading.stores import small_tables, write_run

import fittrace
from fittrace.report import ReportPage, document
from fittrace.report.batch_chart import MOST_BARS, batch_chart
from fittrace.report.model.findings import Findings
from fittrace.schema.errors import FittraceError
from fittrace.tables import TraceTables
from fittrace.views.summary_figures import gather

KERAS_3 = Path("traces/reference-keras-3")


class Elements(HTMLParser):
    """The elements of an HTML text, by name, each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def shown() -> str:
    return fittrace.open(KERAS_3)._repr_html_()


def test_the_display_has_the_verdict_the_phases_and_where_to_go_on(shown: str) -> None:
    assert "Bound by start-up: 35 % of the fit went to starting" in shown
    assert "<code>report()</code>" in shown and "<code>hooks()</code>" in shown
    rows = re.findall(r"<tr><td.*?</tr>", shown)
    assert re.findall(r">([^<]+)</td>", rows[0])[:6] == ["function", "train", "57.1 %", "3.42 s", "3.42 s", "450"]


def test_each_column_says_what_it_is(shown: str) -> None:
    heads = [attributes for tag, attributes in Elements(shown).found if tag == "th"]
    assert heads and all(attributes["title"] for attributes in heads)


def test_the_display_is_static(shown: str) -> None:
    found = Elements(shown).found
    assert not {tag for tag, _ in found} & {"script", "style", "link", "img", "iframe"}
    assert not [name for _, attributes in found for name in attributes if name.startswith("on") or name == "href"]


def test_the_count_of_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Findings([None, None], None)  # type: ignore[list-item]
    monkeypatch.setattr(sys.modules["fittrace.report.display"], "findings_of", lambda *_, **__: found)
    assert "ok, <b>2 findings</b>" in fittrace.open(write_run(tmp_path))._repr_html_()


def test_a_run_without_fits_and_a_folder_of_many(tmp_path: Path) -> None:
    assert "There are no fits." in fittrace.open(write_run(tmp_path / "none", tables={}))._repr_html_()
    for name in ("a1", "a2", "a3", "a4"):
        write_run(tmp_path / "runs", name)
    text = fittrace.open(tmp_path / "runs")._repr_html_()
    assert "The 3 longest of 4 fits are shown." in text and "4 runs" in text


def test_a_hostile_name_is_text(tmp_path: Path) -> None:
    tables = small_tables()
    names = ["</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\u202e\x1b[31m"]
    tables["fits"]["engine"], tables["fits"]["error"] = ["".join(names)], ["'".join(names)]
    trace = fittrace.open(write_run(tmp_path / "<i onclick=x>", tables=tables))
    text = trace._repr_html_()
    assert not hostile.harmful(text)
    assert "alert(1)" in text and not {tag for tag, _ in Elements(text).found} & {"script", "img", "i"}
    assert [tag for tag, _ in Elements(trace.report()._repr_html_()).found] == ["iframe"]


def test_bars_of_a_chart_are_few_and_inside_it() -> None:
    trace = TraceTables.open(KERAS_3)
    chart = batch_chart(trace, gather(trace).fits[0].facts)
    assert chart is not None and chart.label.startswith("564 batches, a bar for each 5, their mean; axis up to ")
    for layer in chart.layers:
        assert 0 < layer.path.count("M") <= MOST_BARS
        assert all(0 <= float(top) <= chart.height for top in re.findall(r"V([\d.]+)", layer.path))


def test_a_frame_has_the_page_and_no_more_rights_than_scripts() -> None:
    page = ReportPage(document(TraceTables.open(KERAS_3)))
    ((tag, attributes),) = Elements(page._repr_html_()).found
    assert (tag, attributes["sandbox"], attributes["srcdoc"]) == ("iframe", "allow-scripts", page.html)


def test_a_page_is_saved_once(tmp_path: Path) -> None:
    page = fittrace.open(write_run(tmp_path)).report(redact=True)
    output = tmp_path / "fit.html"
    assert page.save(output) == output and output.read_text("utf-8") == page.html
    output.write_text("mine")
    with pytest.raises(FittraceError, match="exists; give another file, or force=True"):
        page.save(output)
    assert output.read_text() == "mine"
    page.save(str(output), force=True)
    assert output.read_text("utf-8") == page.html
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".new"] == []
