"""The timeline and the single batches in a browser."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from synthetic import Size, make

from fittrace.analysis.units import duration
from fittrace.open_trace import Trace
from fittrace.report import Document, document
from fittrace.report.model.fit import Fit
from report.browser.conftest import expect


@pytest.fixture(scope="module")
def shown() -> Document:
    return document(Trace.open("traces/reference-keras-3"))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """A fit that is too long for its batches to be given one by one."""
    return document(Trace.open(make(tmp_path_factory.mktemp("long"), Size(20_000, epochs=3))[0]))


def in_sight(page: Any, fits: str) -> tuple[int, int]:
    """The first batch in sight and the one after the last, once they are as asked.

    - `fits`: a condition in JavaScript on `first` and `until`.
    """
    sight = page.wait_for_function(
        f"""() => {{
            const {{ first, until }} = document.querySelector(".charts").dataset;
            return ((first, until) => {fits})(Number(first), Number(until)) && [Number(first), Number(until)];
        }}"""
    )
    first, until = sight.json_value()
    return first, until


def phase(fit: Fit, name: str, ordinal: int) -> str:
    """The time of a phase in a batch, as the legend writes it."""
    series = next(series for series in fit.timeline.phases if series.name == name)
    return str(duration(float(series.mean[ordinal])))


def batch_name(fit: Fit, ordinal: int) -> str:
    run = [run for run in fit.timeline.runs if run.first <= ordinal][-1]
    return f"epoch {run.epoch}, {'' if run.stage == 'train' else 'test '}batch {ordinal - run.first}"


def test_keys_move_a_cursor_over_the_batches_and_open_one(open_page: Any, shown: Document) -> None:
    page = open_page(shown)
    fit = shown.runs[0].fits[0]
    page.focus(".charts")
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(".readout")).to_have_text(re.compile("^epoch 0, batch 3: "))
    expect(page.locator(".charts")).to_have_attribute("aria-valuenow", "3")
    values = dict(
        zip(page.locator(".legend .name").all_inner_texts(), page.locator(".legend .value").all_inner_texts())
    )
    assert (values["function"], values["hooks"]) == (phase(fit, "function", 3), phase(fit, "hooks", 3))
    assert float(values["loss"]) == pytest.approx(float(fit.timeline.logs[0].values.mean[3]), rel=1e-5)
    page.keyboard.press("Enter")
    expect(page.locator("#batch h3")).to_have_text("epoch 0, batch 3")
    expect(page).to_have_url(re.compile("#fit=0&epoch=0&batch=3$"))
    page.keyboard.press("+")
    in_sight(page, "first <= 3 && 3 < until && until < 300")
    page.keyboard.press("Escape")
    in_sight(page, "until === 565")


def test_the_end_of_the_fit_is_a_place_of_the_timeline(open_page: Any, shown: Document) -> None:
    page = open_page(shown)
    page.focus(".charts")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    after = duration(shown.runs[0].fits[0].timeline.after_ns)
    expect(page.locator(".readout")).to_have_text(f"After the last batch: {after}")


def test_dragging_zooms_and_a_click_opens_a_batch(open_page: Any, shown: Document) -> None:
    page = open_page(shown)
    strip = page.locator(".u-over").first
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    y = box["y"] + 50
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, y, steps=4)
    page.mouse.up()
    first, until = in_sight(page, f"Math.abs(first - {0.2 * 565}) <= 3 && Math.abs(until - {0.4 * 565}) <= 3")
    expect(page.locator("#batch h3")).to_have_count(0)
    page.mouse.click(box["x"] + box["width"] / 2, y)
    middle = batch_name(shown.runs[0].fits[0], (first + until) // 2)
    expect(page.locator("#batch h3")).to_have_text(middle)
    expect(page.locator(".readout")).to_have_text(re.compile(f"^{middle}"))
    page.mouse.dblclick(box["x"] + box["width"] / 2, y)
    in_sight(page, "first === 0 && until === 565")


def test_a_phase_is_hidden_and_a_hook_is_shown_alone(open_page: Any, shown: Document) -> None:
    page = open_page(shown, "#fit=0&hook=0")
    hook = shown.runs[0].fits[0].timeline.hooks[0]
    expect(page.locator(".legend button .name")).to_have_text([hook.times.name])
    page.click(".legend button")
    expect(page).to_have_url(re.compile("#fit=0$"))
    function = page.locator(".legend button:has-text('function')")
    function.click()
    expect(function).to_have_attribute("aria-pressed", "false")
    page.click("text=Log scale")
    expect(page.locator("text=Log scale")).to_have_attribute("aria-pressed", "true")


def test_a_mark_opens_its_batch(open_page: Any, shown: Document) -> None:
    page = open_page(shown)
    page.click(".marks .mark.stop")
    expect(page.locator("#batch h3")).to_have_text("epoch 5, test batch 18")
    page.click("summary:has-text('Table of the timeline')")
    expect(page.locator("#timeline table")).to_have_count(2)
    expect(page.locator("#timeline table").last).to_contain_text("stop_training = True")


def test_a_batch_shows_its_spans_and_its_logs(open_page: Any, shown: Document) -> None:
    page = open_page(shown, "#fit=0&epoch=1&batch=0")
    details = shown.runs[0].fits[0].details
    inside = np.flatnonzero((details.ordinal == 94) & (details.inside == 1))
    bars = page.locator("#batch > div > .spans .bar")
    assert len(inside) == 17
    expect(bars).to_have_count(17)
    expect(bars.first).to_have_text(f"batch {duration(float(details.duration[inside[0]]))}")
    bars.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    told = page.locator("#batch > div > .spans .told")
    expect(told).to_have_text(re.compile("^CallbackList.on_train_batch_begin .* · phase hooks · "))
    width = page.evaluate("document.activeElement.clientWidth")
    page.keyboard.press("Enter")
    page.wait_for_function("width => document.activeElement.clientWidth > 5 * width", arg=width)
    page.click("summary:has-text('Before it')")
    before = np.count_nonzero((details.ordinal == 94) & (details.inside == 0))
    expect(page.locator("#batch details .bar")).to_have_count(int(before))
    expect(page.locator("#batch mark")).to_have_text(["worst_batch 1"])
    page.click("text=Next →")
    expect(page.locator("#batch h3")).to_have_text("epoch 1, batch 1")


def test_a_batch_of_a_long_fit_that_is_not_in_the_page_says_so(open_page: Any, long: Document) -> None:
    page = open_page(long, "#fit=0&epoch=1&batch=3001")
    expect(page.locator("#batch")).to_contain_text("The page sums this batch up with 15 others")
    page.get_by_role("button", name="Slowest", exact=True).click()
    expect(page.locator("#batch .bar").nth(3)).to_be_visible()


def test_pieces_cover_any_range_with_the_values_of_its_batches(open_page: Any, long: Document) -> None:
    page = open_page(long)
    timeline = long.runs[0].fits[0].timeline
    random = np.random.default_rng(0)
    ranges = [sorted(random.integers(0, 20_001, 2).tolist()) for _ in range(60)]
    asked = [(first, until, 2 ** int(random.integers(0, 8))) for first, until in ranges if first < until]
    asked += [(first, last + 1, 1) for first, last in timeline.windows]
    script = """async (asked) => {
      const { timeline } = (await unpack(document.getElementById("data").textContent)).runs[0].fits[0];
      return asked.map(([first, until, unit]) => {
        const pieces = piecesOf(timeline, first, until, unit);
        const { least, mean, most } = valuesOf(timeline.total, pieces);
        return pieces.map(({ first, until, source }, index) => {
          return [first, until, source, least[index], mean[index], most[index]];
        });
      });
    }"""
    window_of: dict[int, float] = {}
    for first, last in timeline.windows:
        for ordinal in range(first, last + 1):
            window_of[ordinal] = timeline.total.window[len(window_of)]
    for (first, until, unit), pieces in zip(asked, page.evaluate(script, asked)):
        assert pieces[0][0] <= first < pieces[0][1]
        assert pieces[-1][1] >= until
        assert all(one[1] == other[0] for one, other in pairwise(pieces))
        for begin, end, source, least, mean, most in pieces:
            assert end - begin <= max(unit, timeline.every)
            if source == "window":
                values = [window_of[ordinal] for ordinal in range(begin, end)]
                assert (least, most) == (min(values), max(values))
                assert mean == pytest.approx(np.mean(values), rel=1e-6)
            else:
                buckets = slice(begin // timeline.every, -(-end // timeline.every))
                assert timeline.total.least is not None and timeline.total.most is not None
                assert least == timeline.total.least[buckets].min()
                assert most == timeline.total.most[buckets].max()
                assert mean == pytest.approx(timeline.total.mean[buckets].mean(), rel=1e-6)


def test_windows_are_shown_one_by_one_where_they_are_zoomed(open_page: Any, long: Document) -> None:
    page = open_page(long)
    first, last = long.runs[0].fits[0].timeline.windows[1]
    script = """async ([first, until]) => {
      const { timeline } = (await unpack(document.getElementById("data").textContent)).runs[0].fits[0];
      return piecesOf(timeline, first, until, 1).map((piece) => piece.source);
    }"""
    assert page.evaluate(script, [first, last + 1]) == ["window"] * (last - first + 1)


@pytest.mark.parametrize("width", [380, 800])
def test_nothing_is_wider_than_the_page(open_page: Any, shown: Document, width: int) -> None:
    page = open_page(shown, "#fit=0&epoch=1&batch=0", viewport={"width": width, "height": 900})
    page.wait_for_selector("#timeline canvas")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
